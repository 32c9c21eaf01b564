"""What the avatar shows, as the app Live Link Face sends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcam.motion_sinks.udp import UdpMotionSink, target_of
from vcam.protocols import livelink
from vcam.protocols.face import StreamedFace

if TYPE_CHECKING:
    from vcam.build import Builder

RATE, DAY_S = 60, 24 * 3600  # frames are counted at this rate, from midnight; ours from any moment


def open_motion_sink(builder: Builder, argument: str) -> UdpMotionSink:
    """``argument``: ADDRESS:PORT, or nothing for this machine's port 11111. Raises InputError, ConfigError."""
    return UdpMotionSink("Live Link", target_of(argument, livelink.PORT, lan=builder.settings.streams.lan), packets)


def packets(face: StreamedFace) -> list[bytes]:
    """The packet of a face, numbered by its time."""
    return [livelink.encode(face, frame=round((face.order or 0.0) % DAY_S * RATE), rate=RATE)]
