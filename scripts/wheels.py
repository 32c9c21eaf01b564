"""Asks the package index whether every supported Python and system has a wheel of every locked package: ``wheels.py UV``.

Nothing is downloaded but metadata. Prints one line for each pair, and ends with 1 if a package is missing that is not known to
be, or if one is there that is said to be missing.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements" / "run.txt"
ENVIRONMENT = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}  # the oldest that ONNX Runtime is built for
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# Each with the packages that have no wheel there. README.md says so: there the program cannot be installed.
SYSTEMS = {
    "x86_64-manylinux_2_28": [],
    "aarch64-manylinux_2_28": ["mediapipe"],
    "x86_64-pc-windows-msvc": [],
    "aarch64-apple-darwin": [],
}


def main(uv: str) -> int:
    """The exit status."""
    entries = re.split(r"\n(?=[a-z])", LOCK.read_text(encoding="utf-8"))[1:]
    answers = [look(uv, python, system, entries) for system in SYSTEMS for python in PYTHONS]
    return 0 if all(answers) else 1


def look(uv: str, python: str, system: str, entries: list[str]) -> bool:
    """Whether what is there for one Python on one system is what is said to be."""
    absent = SYSTEMS[system]
    present = [entry for entry in entries if name(entry) not in absent]
    lacks = missing(uv, python, system, present)
    appeared = [package for package in absent if not missing(uv, python, system, [e for e in entries if name(e) == package])]
    if lacks:
        found = lacks
    elif appeared:
        found = f"there is a wheel of {', '.join(appeared)} now: correct SYSTEMS in scripts/wheels.py, and README.md"
    else:
        found = f"no wheel of {', '.join(absent)}, as README.md says; all others" if absent else "all wheels"
    print(f"{system:24} Python {python}: {found}", flush=True)
    return not (lacks or appeared)


def name(entry: str) -> str:
    """The package of a lock's entry."""
    return entry.partition("==")[0]


def missing(uv: str, python: str, system: str, entries: list[str]) -> str:
    """What is said of the entries that have no wheel; "" when all have one."""
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder) / "lock.txt"
        lock.write_text("\n".join(entries), encoding="utf-8")
        command = [uv, "pip", "install", "--dry-run", "--no-deps", "--only-binary", ":all:", "--target", f"{folder}/none"]
        where = ["--python-version", python, "--python-platform", system, "--requirement", str(lock)]
        answer = subprocess.run([*command, *where], capture_output=True, text=True, check=False, env=ENVIRONMENT)
    if answer.returncode == 0:
        return ""
    return " ".join(answer.stderr.partition("cause:")[2].split("hint:")[0].split()) or answer.stderr.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
