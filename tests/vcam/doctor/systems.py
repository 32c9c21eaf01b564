"""A machine on which everything is right, and how to spoil it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from vcam.config import Settings
from vcam.config_file import with_changes
from vcam.doctor.checks import run_checks
from vcam.doctor.facts import (
    CacheFolder,
    CameraFacts,
    MachineFacts,
    ModelFacts,
    ProgramFacts,
    PythonFacts,
    RequiredPackage,
    SystemFacts,
    VideoNode,
)
from vcam.doctor.findings import Finding
from vcam.sinks.driver import Host
from vcam.v4l2 import LOOPBACK_DRIVER, Device

NAME = "HifiHead Cam"
USB = Device(Path("/dev/video0"), "USB Camera", "ok", "uvcvideo", capture=True)
OURS = Device(Path("/dev/video9"), NAME, "ok", LOOPBACK_DRIVER, output=True)
PYTHON = Path("/opt/cam/.venv/bin/python")

HEALTHY = SystemFacts(
    "Debian GNU/Linux 12 (bookworm), x86_64",
    Host("Linux", "apt", module_installed=True),
    PythonFacts(
        "3.11.7",
        PYTHON,
        ">=3.10,<3.13",
        fits=True,
        packages=(
            RequiredPackage("numpy", "==1.26.4", "1.26.4", fits=True),
            RequiredPackage("opencv-contrib-python", "==4.11.0.86", "4.11.0.86", fits=True),
        ),
        checkout=Path("/opt/cam"),
    ),
    MachineFacts("Some CPU", avx2=True, cpus=8, memory_mb=16384, folders=(CacheFolder("caches", Path("/home/me"), True, 9000),)),
    CameraFacts((VideoNode(USB), VideoNode(OURS)), module_loaded=True),
    ProgramFacts(
        Settings(),
        Path("/opt/cam/config.toml"),
        models=(ModelFacts("live", "1a2b3c4d5e6f"), ModelFacts("head")),
        log_file=Path("/home/me/hifihead.log"),
    ),
)


def spoiled(part: str, **changes: Any) -> SystemFacts:
    """The healthy machine with some facts of one part replaced."""
    return replace(HEALTHY, **{part: replace(getattr(HEALTHY, part), **changes)})


def with_settings(**changes: dict[str, Any]) -> SystemFacts:
    """The healthy machine under other settings, as section=dict(key=value)."""
    return spoiled("program", settings=with_changes(Settings(), changes, "The test"))


def with_nodes(*nodes: VideoNode, **changes: Any) -> SystemFacts:
    return spoiled("cameras", nodes=nodes, **changes)


def on(system: str, **cameras: Any) -> SystemFacts:
    """The healthy machine as a Windows or Darwin one."""
    return replace(HEALTHY, host=Host(system, "apt", module_installed=False), cameras=CameraFacts(**cameras))


def finding(system: SystemFacts, name: str) -> Finding:
    """What one check says."""
    return next(found for found in run_checks(system) if found.name == name)
