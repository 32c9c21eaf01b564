"""Asking another program."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

PATIENCE_S = 30.0  # a cold disk takes its time to load libraries

Ask = Callable[[list[str]], "subprocess.CompletedProcess[str] | None"]
"""Runs a command line and returns how it ended; None when there is no such program, or it takes too long."""


def ask(command: list[str]) -> subprocess.CompletedProcess[str] | None:
    """The system's own ``Ask``."""
    try:
        return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None


def lines_of(answer: subprocess.CompletedProcess[str] | None) -> list[str] | None:
    """The lines of a command that succeeded, trimmed, without empty ones; else None."""
    if answer is None or answer.returncode != 0:
        return None
    return [line.strip() for line in answer.stdout.splitlines() if line.strip()]
