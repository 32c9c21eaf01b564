"""What the avatar shows, as VMC with ARKit's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcam.motion_sinks.udp import UdpMotionSink, target_of
from vcam.protocols import vmc

if TYPE_CHECKING:
    from vcam.build import Builder


def open_motion_sink(builder: Builder, argument: str) -> UdpMotionSink:
    """``argument``: ADDRESS:PORT, or nothing for this machine's port 39539. Raises InputError, ConfigError."""
    return UdpMotionSink("VMC", target_of(argument, vmc.RENDERER_PORT, lan=builder.settings.streams.lan), vmc.encode)
