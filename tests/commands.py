"""The program's commands as a user starts them, in processes of their own; none may say what shows a mistake of the program."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
NEVER_SAID = ("Traceback", "unexpectedly", "Exception ignored")  # every failure is one sentence that says what to do


def environment() -> dict[str, str]:
    """This process's own, in which the packages are found."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def refuse_faults(said: str) -> None:
    """Fails a test whose command said what shows a mistake of the program rather than of its user."""
    assert not [words for words in NEVER_SAID if words in said], said


class Command(subprocess.Popen[str]):
    """A started process; ``communicate`` waits for its end, and refuses faults in what it said."""

    def __init__(self, command: Sequence[object], *, env: Mapping[str, str] | None = None) -> None:
        super().__init__(
            [*map(str, command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd=ROOT,
            env=environment() if env is None else env,
        )
        self._heard = ""

    def wait_for(self, words: str) -> None:
        """Reads what it says on stderr until it says this."""
        assert self.stderr is not None
        for line in self.stderr:
            self._heard += line
            if words in line:
                return
        raise AssertionError(self._heard)

    def communicate(self, input: str | None = None, timeout: float | None = 120) -> tuple[Any, Any]:  # noqa: A002 — as above it
        out, said = super().communicate(input, timeout)
        refuse_faults(self._heard + (out or "") + (said or ""))
        return out, said


def start(*arguments: object, module: str = "vcam") -> Command:
    """``hifihead ARGUMENTS``, started."""
    return Command([sys.executable, "-m", module, *arguments])


def finished(command: Sequence[object], *, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Any command, at its end."""
    with Command(command, env=env) as process:
        try:
            out, said = process.communicate()
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, said)


def hifihead(*arguments: object, module: str = "vcam") -> subprocess.CompletedProcess[str]:
    """``hifihead ARGUMENTS``, at its end."""
    return finished([sys.executable, "-m", module, *arguments])
