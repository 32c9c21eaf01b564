"""Live Link Face on a phone, which sends to this machine's address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcam.protocols import livelink
from vcam.sources.stream import StreamProtocol, StreamSource, open_stream

if TYPE_CHECKING:
    from vcam.build import Builder

PROTOCOL = StreamProtocol("Live Link Face", livelink.PORT, lambda: livelink.decode)


def open_source(builder: Builder, argument: str) -> StreamSource:
    """``argument``: another port than livelink.PORT, or nothing. Raises InputError, ConfigError."""
    return open_stream(builder, PROTOCOL, argument)
