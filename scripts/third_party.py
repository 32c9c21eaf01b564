"""Prints THIRD_PARTY.md: the packages that the program is installed with, and the licences that they state."""

from __future__ import annotations

import re
from email.message import Message
from importlib import metadata
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements" / "run.txt"
LOCKED = re.compile(r"^(?P<name>[a-z0-9.-]+)==(?P<version>\S+)", re.MULTILINE)
LICENCE_FILES = re.compile(r"(licen[cs]e|copying|notice|third.?party|authors)", re.IGNORECASE)
LONG = 80  # characters; a longer licence field is the licence's text
HEAD = """\
# Third-party packages

What `make run` installs beside the program, and under which licence. Written by `make lock`; do not edit. None of it is part of
this project's source or of its package: pip fetches each from its own makers. The texts lie in `.venv`, in the named files.

pyvirtualcam is under the GPL-2.0, and so are x264 and x265 in the FFmpeg that av brings. HifiHead Cam's own code stays
MIT, but whoever passes on a whole with one of them in it (an installer, a container image) must pass that whole on under the GPL,
with its source.

| package | version | licence | its texts |
|---|---|---|---|
"""


def main() -> None:
    """One row for every locked package that is installed here; those of other systems are named without a licence."""
    rows = [row(found["name"], found["version"]) for found in LOCKED.finditer(LOCK.read_text(encoding="utf-8"))]
    print(HEAD + "\n".join(rows))


def row(name: str, version: str) -> str:
    """A line of the table."""
    try:
        package = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return f"| {name} | {version} | not installed on the system where this was written | |"
    if package.version != version:
        raise SystemExit(f"{name} {version} is locked, {package.version} is installed: run make .venv/.dev first.")
    return f"| {name} | {version} | {licence(package.metadata)} | {', '.join(files(package))} |"


def licence(stated: Message) -> str:
    """The licence expression, else the short licence field, else what the classifiers say."""
    field = stated["License-Expression"] or stated["License"] or ""
    if field and len(field) < LONG and "\n" not in field:
        return str(field)
    kinds = [kind.rsplit(" :: ", 1)[-1] for kind in stated.get_all("Classifier", []) if kind.startswith("License ::")]
    return ", ".join(kinds) or "see its texts"


def files(package: metadata.Distribution) -> list[str]:
    """The licence files in its folder of metadata, without that folder's name."""
    paths = [path for path in package.files or [] if ".dist-info" in path.parts[0] and LICENCE_FILES.search(path.name)]
    return [f"`{'/'.join(path.parts[1:])}`" for path in sorted(paths)][:4]


if __name__ == "__main__":
    main()
