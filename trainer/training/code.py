"""Which program it is that trains: for the notes beside what comes of it."""

from __future__ import annotations

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def program_version() -> str | None:
    """Of the installed program; a checkout need not be installed."""
    try:
        return version("hifihead-cam")
    except PackageNotFoundError:
        return None


def code_commit() -> str | None:
    """The commit of the code, when it lies in a git checkout."""
    asked = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
