"""``hifihead doctor``: what stands in the way of a call, on one screen, and the exact cure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from vcam.doctor.checks import run_checks
from vcam.doctor.facts import SystemFacts
from vcam.doctor.findings import as_dictionary, as_lines, usable
from vcam.doctor.probe_system import gather_facts

if TYPE_CHECKING:
    from vcam.doctor.engine_report import TryEngine


@dataclass(frozen=True)
class DoctorOptions:
    """The command line of ``doctor``."""

    loop: bool = False
    gpu: bool = False
    as_json: bool = False
    config: Path | None = None


def doctor(
    options: DoctorOptions,
    *,
    gather: Callable[[Path | None], SystemFacts] = gather_facts,
    try_one: TryEngine | None = None,
) -> int:
    """Gathers, checks and prints; returns the exit code: 0 when the camera can be used, else 1."""
    system = gather(options.config)
    findings = run_checks(system)
    extra: dict[str, Any] = {}
    if options.loop:
        from vcam.doctor.loop_test import loop_finding  # numpy, OpenCV, pyvirtualcam

        finding, extra["loop"] = loop_finding(system, findings)
        findings.append(finding)
    if not options.as_json:
        typer.echo("\n".join(as_lines(system, findings)))
    if options.gpu:
        from vcam.doctor.engine_report import engine_report  # the libraries of all engines

        extra["gpu"] = engine_report(system, quiet=options.as_json, try_one=try_one)
    if options.as_json:
        typer.echo(json.dumps(as_dictionary(system, findings) | extra, indent=1, ensure_ascii=False))
    return 0 if usable(findings) else 1
