"""What no command may say is looked for wherever tests start one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.commands import finished, refuse_faults

STARTS = 'sys.executable, "-m", "vcam"'


@pytest.mark.parametrize(
    "said",
    ["Traceback (most recent call last):", "The program failed unexpectedly (KeyError: 1).", "Exception ignored in: <f>"],
)
def test_faults_are_refused(said: str) -> None:
    refuse_faults("Error: The picture me.jpg does not exist.\n")
    with pytest.raises(AssertionError, match=r"Traceback|unexpectedly|ignored"):
        finished([sys.executable, "-c", f"import sys; sys.stderr.write({said!r})"])


def test_commands_are_started_in_one_place() -> None:
    """But for those of tests/faults, which are asked for tracebacks (--verbose)."""
    folder = Path(__file__).parent
    own = {path.relative_to(folder).as_posix() for path in folder.rglob("*.py") if STARTS in path.read_text(encoding="utf-8")}
    assert {name for name in own if not name.startswith("faults/")} <= {"commands.py", "test_commands.py"}
