"""Steps of a set-up: commands with what they are for, shown before they are carried out."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import DeviceError

END = "END"


@dataclass(frozen=True)
class SetupStep:
    """A command.

    purpose   what it is for, as a sentence without its full stop
    text      what the command reads
    root      whether it needs root
    optional  whether the others go on when it fails
    """

    purpose: str
    command: tuple[str, ...]
    text: str = ""
    root: bool = False
    optional: bool = False

    @property
    def arguments(self) -> tuple[str, ...]:
        """The command with sudo where that is needed."""
        return ("sudo", *self.command) if self.root and not is_root() else self.command

    def shown(self) -> str:
        """The step as one would type it."""
        line = shlex.join(self.arguments)
        return f"# {self.purpose}\n{line}" + (f" <<'{END}'\n{self.text}{END}" if self.text else "")


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def write_file(purpose: str, path: Path, text: str, *, root: bool = False) -> list[SetupStep]:
    """The step that writes a file with its folders; none when it says the same already."""
    try:
        if path.read_text(encoding="utf-8") == text:
            return []
    except (OSError, UnicodeDecodeError):
        pass
    return [SetupStep(purpose, ("install", "-D", "-m", "644", "/dev/stdin", str(path)), text, root)]


def remove_files(purpose: str, paths: list[Path], *, root: bool = False) -> list[SetupStep]:
    """The step that removes those files and folders that there are; none when there is none."""
    there = [str(path) for path in paths if path.exists()]
    return [SetupStep(purpose, ("rm", "-r", "--", *there), root=root)] if there else []


Run = Callable[[SetupStep], int]


def run_step(step: SetupStep) -> int:
    """Carries a step out; returns its exit code, 127 when there is no such command."""
    try:
        return subprocess.run(step.arguments, text=True, check=False, input=step.text or None).returncode
    except OSError:
        return 127


def carry_out(steps: list[SetupStep], say: Callable[[str], None], run: Run = run_step) -> None:
    """All steps in order, each said before. Raises DeviceError at the first that fails and is not optional."""
    for step in steps:
        say(f"{step.purpose}.")
        code = run(step)
        if code and step.optional:
            say(f"That failed ({code}); the rest goes on.")
        elif code:
            raise DeviceError(f"'{shlex.join(step.arguments)}' failed ({code}); what was done before it stays done.")
