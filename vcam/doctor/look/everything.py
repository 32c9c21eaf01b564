"""All facts together."""

from __future__ import annotations

import platform
from pathlib import Path

from vcam.doctor.look.cameras import camera_facts
from vcam.doctor.look.machine import machine_facts
from vcam.doctor.look.python import python_facts
from vcam.doctor.system import ProgramFacts, System
from vcam.sinks.driver import this_host


def look(config: Path | None = None) -> System:
    """This machine, under the settings of ``config``, or of the file that ``run`` would take."""
    program = program_facts(config)
    output = program.settings.output if program else None
    wanted = (output.camera_name, (output.width_px, output.height_px)) if output else ("", (0, 0))
    return System(system_name(), this_host(), python_facts(), machine_facts(), camera_facts(*wanted), program)


def program_facts(config: Path | None) -> ProgramFacts | None:
    """None when libraries are missing that the program is read with."""
    try:
        from vcam.doctor.look.program import read_program  # pydantic, numpy, …
    except ImportError:
        return None
    return read_program(config)


def system_name() -> str:
    """The system as people call it, e.g. "Debian GNU/Linux 12 (bookworm), x86_64"."""
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        name = f"{platform.system().replace('Darwin', 'macOS')} {platform.mac_ver()[0] or platform.release()}"
    return f"{name}, {platform.machine()}"
