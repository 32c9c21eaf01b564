"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "failed", "absent"]
MARKS: dict[State, str] = {"ok": "✔", "failed": "✘", "absent": "–"}


class Command(str):
    """A step that is typed as it stands; other steps are sentences."""

    __slots__ = ()


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's screen.

    state   ok; failed = the camera cannot be used like this; absent = goes without it, or is not wanted
    detail  what there is, short
    fix     the steps that cure it, in order; only where something can be done
    """

    name: str
    state: State
    detail: str
    fix: tuple[str, ...] = ()


def usable(findings: list[Finding]) -> bool:
    """Whether nothing stands in the way."""
    return all(finding.state != "failed" for finding in findings)
