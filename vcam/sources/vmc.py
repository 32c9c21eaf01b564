"""A program that sends VMC with ARKit's expression names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcam.protocols import vmc
from vcam.sources.stream import StreamProtocol, StreamSource, open_stream

if TYPE_CHECKING:
    from vcam.build import Builder

PROTOCOL = StreamProtocol("VMC", vmc.PORT, lambda: vmc.VmcAssembler().feed, self_contained=False)


def open_source(builder: Builder, argument: str) -> StreamSource:
    """``argument``: another port than vmc.PORT, or nothing. Raises InputError, ConfigError."""
    return open_stream(builder, PROTOCOL, argument)
