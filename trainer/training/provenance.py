"""Which program trains, and with which settings: for the notes beside what comes of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from engine.files import write_text

ABOUT = "run.json"


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


def describe_run(folder: Path, settings: Mapping[str, Any]) -> None:
    """Writes into a run's folder what made it: its settings and the version of the code. Raises InputError."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {"version": program_version(), "commit": code_commit(), "settings": dict(settings)}
    write_text(folder / ABOUT, json.dumps(about, indent=2) + "\n")
