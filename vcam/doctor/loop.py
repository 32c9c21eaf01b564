"""Through the virtual camera and back: numbered pictures are sent, read as a meeting program would, and their journeys timed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from engine.errors import DeviceError
from engine.values import Picture
from vcam.doctor.code import NUMBERS, colour_error, read_code, write_code
from vcam.seams import Clock, Sink

WANTED = 90  # pictures to read back
WARM_UP = 10  # pictures read before that: a new reader gets old ones first
PATIENCE_S = 15.0  # for everything


class Reader(Protocol):
    """What a meeting program does with a camera."""

    def read(self) -> Picture | None:
        """The next picture, RGB (height, width, 3), waiting for it; None when none came."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Journey:
    """One picture that arrived [s, the same clock]."""

    number: int
    sent_s: float
    read_s: float
    colour_error: int


@dataclass(frozen=True)
class LoopResult:
    """Latency from ``send`` to the reader's ``read`` [ms]; of ``expected`` pictures ``dropped`` never came, ``repeated`` and
    ``foreign`` (no number in them) came on top; ``colour_error`` 0…255; ``fps`` as the reader saw it."""

    p50_ms: float
    p95_ms: float
    fps: float
    expected: int
    dropped: int
    repeated: int
    foreign: int
    colour_error: int


@dataclass
class Sender:
    """Sends numbered pictures at even times until ``stop``; ``sent_s`` holds when each number left."""

    sink: Sink
    size: tuple[int, int]
    fps: int
    clock: Clock
    sent_s: dict[int, float] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    failure: DeviceError | None = None

    def __post_init__(self) -> None:
        width, height = self.size
        self._picture = np.empty((height, width, 3), np.uint8)
        self._next_s = self.clock.now()

    def step(self) -> None:
        """Sends the next picture when its time has come."""
        number = len(self.sent_s) % NUMBERS
        write_code(self._picture, number)
        self.clock.wait_until(self._next_s)
        self.sent_s[number] = self.clock.now()
        self.sink.send(self._picture)
        self._next_s += 1 / self.fps

    def run(self) -> None:
        """Until ``stop``, or until the camera fails; then ``failure`` holds why."""
        try:
            while not self.stop.is_set():
                self.step()
        except DeviceError as error:
            self.failure = error


def run_loop(
    sink: Sink, open_reader: Callable[[], Reader], size: tuple[int, int], fps: int, *, clock: Clock, wanted: int = WANTED
) -> LoopResult:
    """Sends until ``wanted`` pictures were read back. Raises DeviceError when the camera, or reading from it, fails.

    The sink gets a first picture before the reader is opened: the camera is listed only then. Both are closed at the end.
    """
    sender = Sender(sink, size, fps, clock)
    thread = threading.Thread(target=sender.run, name="sender", daemon=True)
    try:
        sender.step()
        thread.start()
        reader = open_reader()
        try:
            journeys, foreign = read_back(sender, reader, wanted)
        finally:
            reader.close()
    finally:
        sender.stop.set()
        if thread.ident is not None:
            thread.join(2.0)
        sink.close()
    return summary(journeys, foreign)


def read_back(sender: Sender, reader: Reader, wanted: int) -> tuple[list[Journey], int]:
    """(journeys, how many pictures carried no number); raises DeviceError when too few arrive."""
    journeys: list[Journey] = []
    foreign, end_s = 0, sender.clock.now() + PATIENCE_S
    while len(journeys) < WARM_UP + wanted:
        picture = reader.read()
        now = sender.clock.now()
        if sender.failure is not None:
            raise sender.failure
        if picture is None or now > end_s:
            raise DeviceError(f"Of the pictures sent, only {len(journeys)} came back within {PATIENCE_S:.0f} s.")
        number = read_code(picture)
        if number is None or number not in sender.sent_s:
            foreign += 1
            continue
        journeys.append(Journey(number, sender.sent_s[number], now, colour_error(picture)))
    return journeys[WARM_UP:], foreign


def summary(journeys: list[Journey], foreign: int) -> LoopResult:
    """What the journeys of at least two pictures amount to."""
    first = {journey.number: journey for journey in reversed(journeys)}  # the first arrival of each
    numbers = sorted(first)
    latency_ms = [1000 * (first[number].read_s - first[number].sent_s) for number in numbers]
    p50, p95 = np.percentile(latency_ms, [50, 95])
    span_s = journeys[-1].read_s - journeys[0].read_s
    expected = numbers[-1] - numbers[0] + 1
    return LoopResult(
        round(float(p50), 2),
        round(float(p95), 2),
        round((len(journeys) - 1) / span_s, 2) if span_s > 0 else 0.0,
        expected,
        dropped=expected - len(numbers),
        repeated=len(journeys) - len(numbers),
        foreign=foreign,
        colour_error=max(journey.colour_error for journey in journeys),
    )
