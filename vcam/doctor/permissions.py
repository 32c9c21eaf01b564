"""How one gets at a video device that is forbidden."""

from __future__ import annotations

from vcam.doctor.finding import Command
from vcam.doctor.system import System
from vcam.sinks.driver import JOIN_VIDEO_GROUP


def permission_fix(system: System) -> tuple[str, ...]:
    """For a device that the present user may not open."""
    if system.cameras.group == "after login":
        return ("You are in the group video, but this session began before: log out and in again.",)
    if system.cameras.group == "member":
        return ("You are in the group video already: ask who administers this machine for access.",)
    return (Command(JOIN_VIDEO_GROUP), "Then log out and in again.")
