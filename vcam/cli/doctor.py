"""``hifihead doctor``: what stands in the way of a call, on one screen, and the exact cure."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer

from vcam.doctor.examine import examine
from vcam.doctor.finding import MARKS, Command, Finding, usable
from vcam.doctor.look import look
from vcam.doctor.system import System

WIDTH = 80
NAME_WIDTH = 15
COLOURS = {"ok": typer.colors.GREEN, "failed": typer.colors.RED, "absent": typer.colors.YELLOW}


@dataclass(frozen=True)
class DoctorOptions:
    """The command line of ``doctor``."""

    loop: bool = False
    gpu: bool = False
    as_json: bool = False
    config: Path | None = None


def doctor(options: DoctorOptions) -> None:
    """Looks, prints, and leaves with 0 when the camera can be used, else 1."""
    system = look(options.config)
    findings = examine(system)
    extra: dict[str, Any] = {}
    if options.loop:
        from vcam.cli.doctor_loop import loop_finding  # numpy, OpenCV, pyvirtualcam

        finding, extra["loop"] = loop_finding(system, findings)
        findings.append(finding)
    if not options.as_json:
        typer.echo("\n".join(screen(system, findings)))
    if options.gpu:
        from vcam.cli.doctor_gpu import gpu_table  # every engine's library

        extra["gpu"] = gpu_table(system, quiet=options.as_json)
    if options.as_json:
        typer.echo(json.dumps(as_dictionary(system, findings) | extra, indent=1, ensure_ascii=False))
    raise typer.Exit(0 if usable(findings) else 1)


def as_dictionary(system: System, findings: list[Finding]) -> dict[str, Any]:
    """For programs."""
    return {"usable": usable(findings), "system": system.name, "findings": [asdict(finding) for finding in findings]}


def screen(system: System, findings: list[Finding]) -> list[str]:
    """For people: lines of at most 80 columns, commands excepted, which are never broken."""
    lines = [typer.style(f"HifiHead Cam's doctor · {system.name}", bold=True)]
    for finding in findings:
        lines += lines_of(finding)
    return [*lines, verdict(system, findings)]


def lines_of(finding: Finding) -> Iterable[str]:
    """A finding, and the steps that cure it below."""
    mark = typer.style(MARKS[finding.state], fg=COLOURS[finding.state])
    first, *more = textwrap.wrap(finding.detail, WIDTH - NAME_WIDTH - 2) or [""]
    yield f"{mark} {finding.name:<{NAME_WIDTH}}{first}"
    yield from (" " * (NAME_WIDTH + 2) + line for line in more)
    for step in finding.fix:
        if isinstance(step, Command):
            yield typer.style(f"    {step}", bold=True)
        else:
            yield from textwrap.wrap(step, WIDTH, initial_indent="  → ", subsequent_indent="    ")


def verdict(system: System, findings: list[Finding]) -> str:
    """The last line."""
    failed = sum(finding.state == "failed" for finding in findings)
    if failed:
        things = "1 thing stands" if failed == 1 else f"{failed} things stand"
        return typer.style(f"{things} in the way (✘): take the steps above, then run doctor again.", bold=True)
    name = system.program.settings.output.camera_name if system.program else "HifiHead Cam"
    return typer.style(f"Ready: start `hifihead run`, then choose '{name}' in the meeting.", bold=True)
