"""OpenSeeFace's tracker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcam.protocols import openseeface
from vcam.sources.stream import StreamProtocol, StreamSource, open_stream

if TYPE_CHECKING:
    from vcam.build import Builder

PROTOCOL = StreamProtocol("OpenSeeFace", openseeface.PORT, lambda: openseeface.decode)


def open_source(builder: Builder, argument: str) -> StreamSource:
    """``argument``: another port than openseeface.PORT, or nothing. Raises InputError, ConfigError."""
    return open_stream(builder, PROTOCOL, argument)
