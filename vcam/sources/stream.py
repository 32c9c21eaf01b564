"""Motion from another program or a phone: packets over UDP, the newest of which counts.

Nobody but this machine is heard unless the settings open the network. What is not as the protocol says is left out and told of;
so are packets that are older than one already used, and those of a second sender while the first goes on.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import ConfigError, InputError
from engine.resource import Resource
from vcam.interfaces import Clock, Closable
from vcam.messages import Messages
from vcam.motion import Observation, Priority
from vcam.protocols.face import PacketError, StreamedFace

if TYPE_CHECKING:
    from vcam.build import Builder

LOOPBACK, EVERYBODY = "127.0.0.1", "0.0.0.0"  # noqa: S104 — only where the settings ask for it
REOPEN_S = 2.0  # between attempts to open a port that is taken
ASK_EVERY_S = 2.0  # between requests to a phone
GONE_S = 1.0  # a sender that was silent for so long may begin anew, or be another one
PERIOD_S = 1 / 120  # no two observations come closer
MOST_AT_ONCE = 512  # packets that are read for one observation; what is left waits, or is lost, in the system's buffer
PACKET_BYTES = 65536
BUFFER_BYTES = 2**20

Decoder = Callable[[bytes], StreamedFace | None]


@dataclass(frozen=True)
class StreamProtocol:
    """How one program sends.

    name            for the user
    port            where it sends by default
    open_decoder    makes what turns packets into faces; it raises PacketError
    self_contained  whether every packet is a whole face, so that only the newest need be decoded
    request         asks the phone, given our port, to send; None = it sends unasked
    phone_port      where the phone listens for that
    asks_while_heard  whether requests go on while packets come
    """

    name: str
    port: int
    open_decoder: Callable[[], Decoder]
    self_contained: bool = True
    request: Callable[[int], bytes] | None = None
    phone_port: int = 0
    asks_while_heard: bool = False


def open_stream(builder: Builder, protocol: StreamProtocol, argument: str) -> StreamSource:
    """The source of a protocol; ``argument``: another port. Raises InputError, ConfigError."""
    if argument and not (argument.isdecimal() and 0 < int(argument) < 65536):
        raise InputError(f"{protocol.name} needs a port from 1 to 65535, got {argument!r}.")
    streams = builder.settings.streams
    if streams.phone and not streams.lan and not streams.phone.startswith("127."):
        raise ConfigError(f"streams.phone = {streams.phone!r} is another machine: set streams.lan = true to let it in.")
    if protocol.asks_while_heard and not streams.phone:
        raise ConfigError(f"{protocol.name} sends only when it is asked: set streams.phone to the address that the app shows.")
    return StreamSource(
        protocol,
        int(argument) if argument else protocol.port,
        host=EVERYBODY if streams.lan else LOOPBACK,
        phone=streams.phone,
        clock=builder.clock,
        messages=builder.messages,
    )


class StreamSource(Resource):
    """A ``MotionSource`` that listens on a UDP port."""

    follows = True
    priority = Priority.PHONE

    def __init__(self, protocol: StreamProtocol, port: int, *, host: str, phone: str, clock: Clock, messages: Messages) -> None:
        """``host``: the address of this machine to listen at. ``phone``: the only address that is heard; "" = any."""
        self.name = self.remembered_as = protocol.name
        self._protocol, self._port, self._host, self._phone = protocol, port, host, phone
        self._clock, self._messages = clock, messages
        self._decode = protocol.open_decoder()
        self._socket: socket.socket | None = None
        self._closed = threading.Event()
        self._stale = False  # what waits in the buffer is from before a rest
        self._reopen_s = self._ask_s = self._due_s = clock.now()
        self._heard_s = clock.now() - GONE_S  # when the present sender's last packet came
        self._sender = ""
        self._order: float | None = None

    def start(self) -> None:
        """Opens the port; one that is taken is tried again later."""
        self._open()

    def prepare(self) -> None:
        """It needs nothing."""

    def take(self, timeout_s: float) -> Observation | None:
        """The newest face of the packets that came; None when none came."""
        self._open()
        if self._socket is None:
            self._closed.wait(timeout_s)
            return None
        self._ask()
        wait_s = max(0.0, min(timeout_s, self._due_s - self._clock.now()))
        if wait_s:
            self._closed.wait(wait_s)
        face = self._newest(self._received(timeout_s - wait_s))
        if face is None:
            return None
        now = self._clock.now()
        self._due_s = now + PERIOD_S
        return Observation(face.coefficients() if face.found else None, now, captured_s=now if face.found else None)

    def recalibrate(self) -> None:
        """Nothing is learned of the face here."""

    def use_regressor(self, regressor: Closable) -> Closable:
        """No faces are read here."""
        return regressor

    def rest(self) -> None:
        """Packets are left to the system."""

    def wake(self) -> None:
        """What came meanwhile is old."""
        self._stale = True

    def close(self) -> None:
        self._closed.set()
        opened, self._socket = self._socket, None
        if opened is not None:
            opened.close()

    def _open(self) -> None:
        now = self._clock.now()
        if self._socket is not None or now < self._reopen_s or self._closed.is_set():
            return
        self._reopen_s = now + REOPEN_S
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)  # when it is full, what is newest is lost
        try:
            opened.bind((self._host, self._port))
        except OSError as error:
            opened.close()
            self._messages.say_rarely(
                f"port {self._port}",
                f"{self.name} cannot listen on UDP port {self._port} ({error.strerror}); it is tried again. Does another program "
                "use the port?",
            )
            return
        self._socket = opened

    def _ask(self) -> None:
        """Sends the request that is due."""
        protocol, now = self._protocol, self._clock.now()
        heard = now - self._heard_s < GONE_S
        if protocol.request is None or not self._phone or now < self._ask_s or (heard and not protocol.asks_while_heard):
            return
        self._ask_s = now + ASK_EVERY_S
        assert self._socket is not None  # noqa: S101 — ``take`` opened it
        try:
            self._socket.sendto(protocol.request(self._port), (self._phone, protocol.phone_port))
        except OSError as error:
            self._messages.say_rarely("phone", f"{self.name} at {self._phone} cannot be asked to send ({error.strerror}).")

    def _received(self, timeout_s: float) -> list[tuple[bytes, str]]:
        """The packets that wait, and the senders' addresses; waits for the first."""
        opened = self._socket
        assert opened is not None  # noqa: S101 — ``take`` opened it
        if self._stale:
            self._stale = False
            self._drain(opened, 0.0)
        return self._drain(opened, max(0.0, timeout_s))

    def _drain(self, opened: socket.socket, timeout_s: float) -> list[tuple[bytes, str]]:
        packets = list[tuple[bytes, str]]()
        opened.settimeout(timeout_s)
        try:
            while len(packets) < MOST_AT_ONCE:
                data, (address, *_) = opened.recvfrom(PACKET_BYTES)
                packets.append((data, address))
                opened.settimeout(0.0)
        except (BlockingIOError, TimeoutError):
            pass
        except OSError as error:  # e.g. the phone's port is closed, which Windows tells here
            self._messages.say_rarely("stream", f"{self.name}: {error.strerror or error}.")
        return packets

    def _newest(self, packets: list[tuple[bytes, str]]) -> StreamedFace | None:
        """The newest face of the packets that may be used."""
        used = [data for data, address in packets if self._is_allowed(address)]
        face = None
        for data in reversed(used) if self._protocol.self_contained else used:
            found = self._decoded(data)
            if found is not None and not self._is_old(found):
                face = found
                if self._protocol.self_contained:
                    break
        if face is not None:
            self._order, self._heard_s = face.order, self._clock.now()
        return face

    def _decoded(self, data: bytes) -> StreamedFace | None:
        try:
            return self._decode(data)
        except PacketError as error:
            self._messages.say_rarely(
                f"packet {self._port}", f"A packet on UDP port {self._port} is not from {self.name} and is left out: {error}."
            )
            return None

    def _is_old(self, face: StreamedFace) -> bool:
        """Whether the packet is no newer than one that was used, and its sender did not begin anew."""
        if face.order is None or self._order is None or self._clock.now() - self._heard_s >= GONE_S:
            return False
        return face.order <= self._order

    def _is_allowed(self, address: str) -> bool:
        """Whether that sender is heard: the first that comes, until it is gone, or the phone that the settings name."""
        if self._phone and address != self._phone:
            self._messages.say_rarely(f"other {self._port}", f"{self.name}: packets from {address} are left out (streams.phone).")
            return False
        if address != self._sender and self._clock.now() - self._heard_s >= GONE_S:
            self._sender, self._order, self._heard_s = address, None, self._clock.now()
        if address != self._sender:
            self._messages.say_rarely(
                f"other {self._port}", f"{self.name}: packets from {address} are left out while {self._sender} sends."
            )
        return address == self._sender
