"""iFacialMocap on a phone: it sends by itself to this machine's address, or when it is asked (``streams.phone``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcam.protocols import ifacialmocap
from vcam.sources.stream import StreamProtocol, StreamSource, open_stream

if TYPE_CHECKING:
    from vcam.build import Builder

PROTOCOL = StreamProtocol(
    "iFacialMocap",
    ifacialmocap.PORT,
    lambda: ifacialmocap.decode,
    request=lambda _port: ifacialmocap.START,
    phone_port=ifacialmocap.PORT,
)


def open_source(builder: Builder, argument: str) -> StreamSource:
    """``argument``: another port than ifacialmocap.PORT, or nothing. Raises InputError, ConfigError."""
    return open_stream(builder, PROTOCOL, argument)
