"""Every check, in the order in which things must be put right."""

from __future__ import annotations

from vcam.doctor.finding import Finding
from vcam.doctor.machine import audio, disk, graphics, processor
from vcam.doctor.program import models, preview, settings
from vcam.doctor.python import libraries, python
from vcam.doctor.system import System
from vcam.doctor.virtual import colours, virtual_camera
from vcam.doctor.webcam import webcam

BASE = (python, libraries, processor, graphics, disk)


def examine(system: System) -> list[Finding]:
    """The findings about a machine. What needs libraries that are missing is left for the next time."""
    findings = [check(system) for check in BASE]
    program = system.program
    if program is None:
        return [*findings, Finding("all else", "absent", "is looked at once the libraries are there")]
    return [
        *findings,
        settings(program),
        models(system, program),
        webcam(system, program),
        virtual_camera(system, program),
        colours(system, program),
        preview(program),
        audio(system),
    ]
