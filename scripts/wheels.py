"""Asks the package index whether every supported Python and system has a wheel of every locked package: ``wheels.py UV``.

Nothing is downloaded but metadata. Prints one line for each pair, and ends with 1 if a package is missing somewhere.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements" / "run.txt"
ENVIRONMENT = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}  # the oldest that ONNX Runtime is built for
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "x86_64-pc-windows-msvc", "aarch64-apple-darwin")


def main(uv: str) -> int:
    """The exit status."""
    answers = [look(uv, python, system) for system in SYSTEMS for python in PYTHONS]
    return 0 if all(answers) else 1


def look(uv: str, python: str, system: str) -> bool:
    """Whether all wheels are there for one Python on one system."""
    with tempfile.TemporaryDirectory() as folder:
        command = [uv, "pip", "install", "--dry-run", "--no-deps", "--only-binary", ":all:", "--target", folder]
        where = ["--python-version", python, "--python-platform", system, "--requirement", str(LOCK)]
        answer = subprocess.run([*command, *where], capture_output=True, text=True, check=False, env=ENVIRONMENT)
    found = answer.returncode == 0
    reason = "all wheels" if found else " ".join(answer.stderr.partition("cause:")[2].split("hint:")[0].split())
    print(f"{system:24} Python {python}: {reason or answer.stderr.strip()}", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
