"""Findings: what a check says about one part of the system, and how findings are printed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import typer

from vcam.doctor.facts import SystemFacts

State = Literal["ok", "failed", "absent"]
MARKS: dict[State, str] = {"ok": "✔", "failed": "✘", "absent": "–"}
COLOURS: dict[State, str] = {"ok": typer.colors.GREEN, "failed": typer.colors.RED, "absent": typer.colors.YELLOW}
WIDTH = 80
NAME_WIDTH = 15


class ShellCommand(str):
    """A step that is typed as it stands; other steps are sentences."""

    __slots__ = ()


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    state   ok; failed = the camera cannot be used like this; absent = not there, and not needed
    detail  what there is, short
    fix     the steps that put it right, in order; empty where nothing can be done
    """

    name: str
    state: State
    detail: str
    fix: tuple[str, ...] = ()


def usable(findings: list[Finding]) -> bool:
    """Whether the camera can be used."""
    return all(finding.state != "failed" for finding in findings)


def as_dictionary(system: SystemFacts, findings: list[Finding]) -> dict[str, Any]:
    """What ``doctor --json`` prints."""
    return {
        "usable": usable(findings),
        "system": system.name,
        "log_file": str(system.program.log_file) if system.program else None,
        "findings": [asdict(finding) for finding in findings],
    }


def as_lines(system: SystemFacts, findings: list[Finding]) -> list[str]:
    """What ``doctor`` prints: lines of at most 80 columns, except commands, which are never broken."""
    lines = [typer.style(f"HifiHead Cam's doctor · {system.name}", bold=True)]
    for finding in findings:
        lines += finding_lines(finding)
    return [*lines, verdict(system, findings)]


def finding_lines(finding: Finding) -> Iterator[str]:
    """A finding, followed by the steps that put it right."""
    mark = typer.style(MARKS[finding.state], fg=COLOURS[finding.state])
    first, *more = textwrap.wrap(finding.detail, WIDTH - NAME_WIDTH - 2) or [""]
    yield f"{mark} {finding.name:<{NAME_WIDTH}}{first}"
    yield from (" " * (NAME_WIDTH + 2) + line for line in more)
    for step in finding.fix:
        if isinstance(step, ShellCommand):
            yield typer.style(f"    {step}", bold=True)
        else:
            yield from textwrap.wrap(step, WIDTH, initial_indent="  → ", subsequent_indent="    ")


def verdict(system: SystemFacts, findings: list[Finding]) -> str:
    """The last line."""
    failed = sum(finding.state == "failed" for finding in findings)
    if failed:
        things = "1 thing stands" if failed == 1 else f"{failed} things stand"
        return typer.style(f"{things} in the way (✘): take the steps above, then run doctor again.", bold=True)
    name = system.program.settings.output.camera_name if system.program else "HifiHead Cam"
    return typer.style(f"Ready: start `hifihead run`, then choose '{name}' in the meeting.", bold=True)
