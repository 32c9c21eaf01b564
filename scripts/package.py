"""Builds sdist and wheel into dist/, installs the wheel with all that it demands into an empty environment, and runs it there,
outside this folder. Arguments: a Python that has the package build, and the folder for both files."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

PROJECT = Path(__file__).parents[1]
COMMANDS = (("--version",), ("plugins",), ("edit", "--yaw-deg", "20", "--out", "turned.png"), ("setup", "--print"))


def main(python: str, folder: Path) -> None:
    """Ends with the exit code of what failed."""
    run([python, "-m", "build", "--outdir", str(folder), str(PROJECT)])
    newest = max(folder.glob("*.whl"), key=lambda path: path.stat().st_mtime)
    with tempfile.TemporaryDirectory() as name:
        empty, elsewhere = Path(name) / "environment", Path(name) / "elsewhere"
        elsewhere.mkdir()
        venv.create(empty, with_pip=True)
        programs = empty / ("Scripts" if os.name == "nt" else "bin")
        run([str(programs / "python"), "-m", "pip", "install", "--quiet", str(newest)])
        for command in COMMANDS:
            run([str(programs / "hifihead"), *command], elsewhere)
    print(f"{newest.name} runs outside the checkout.")


def run(command: list[str], folder: Path = PROJECT) -> None:
    """Runs a program; ends this one when it fails."""
    print("$", *command, flush=True)
    done = subprocess.run(command, cwd=folder, check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
