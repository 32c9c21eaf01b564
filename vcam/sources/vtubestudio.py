"""VTube Studio on a phone, which sends while it is asked to (``streams.phone``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcam.protocols import vtubestudio
from vcam.sources.stream import StreamProtocol, StreamSource, open_stream

if TYPE_CHECKING:
    from vcam.build import Builder

PROTOCOL = StreamProtocol(
    "VTube Studio",
    vtubestudio.PORT,
    lambda: vtubestudio.decode,
    request=vtubestudio.request,
    phone_port=vtubestudio.PHONE_PORT,
    asks_while_heard=True,
)


def open_source(builder: Builder, argument: str) -> StreamSource:
    """``argument``: another port than vtubestudio.PORT, or nothing. Raises InputError, ConfigError."""
    return open_stream(builder, PROTOCOL, argument)
