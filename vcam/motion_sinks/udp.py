"""Packets to another program, over UDP. Nothing is waited for: whoever is not there misses them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from ipaddress import IPv4Address

from engine.errors import ConfigError, InputError
from engine.resource import Resource
from vcam.motion import Observation
from vcam.protocols.face import StreamedFace


class UdpMotionSink(Resource):
    """Sends the packets that ``encode`` makes of each face."""

    def __init__(self, name: str, target: tuple[str, int], encode: Callable[[StreamedFace], list[bytes]]) -> None:
        self.name = f"{name} at {target[0]}:{target[1]}"
        self._target, self._encode = target, encode
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self, observation: Observation | None, shown: StreamedFace) -> None:
        del observation
        for packet in self._encode(shown):
            with contextlib.suppress(OSError):  # a full buffer, or nobody listens there
                self._socket.sendto(packet, self._target)

    def close(self) -> None:
        self._socket.close()


def target_of(argument: str, port: int, *, lan: bool) -> tuple[str, int]:
    """Address and port of "ADDRESS:PORT"; "" = this machine and ``port``. Raises InputError, ConfigError."""
    address, _, number = argument.partition(":")
    try:
        host = IPv4Address(address or "127.0.0.1")
        chosen = int(number or port)
    except ValueError as error:
        raise InputError(f'Wanted ADDRESS:PORT, e.g. "127.0.0.1:{port}", got {argument!r}.') from error
    if not 0 < chosen < 65536:
        raise InputError(f"Wanted a port from 1 to 65535, got {chosen}.")
    if not host.is_loopback and not lan:
        raise ConfigError(f"{host} is another machine: set streams.lan = true to send motion there.")
    return str(host), chosen
