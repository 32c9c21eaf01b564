"""The loop test: numbered frames are sent to the virtual camera, read back as a meeting program would read them, and timed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np

from engine.errors import DeviceError
from engine.values import Picture
from vcam.clock import SystemClock
from vcam.doctor.camera_checks import VIRTUAL_CAMERA
from vcam.doctor.coded_frames import NUMBERS, colour_error, open_camera_reader, read_code, write_code
from vcam.doctor.facts import SystemFacts
from vcam.doctor.findings import Finding
from vcam.interfaces import Clock
from vcam.sinks.virtual import VirtualCamera

LOOP = "loop"
WANTED = 90  # frames to read back
WARM_UP = 10  # frames read before that: a new reader gets old ones first
TIMEOUT_S = 15.0  # for everything
MAX_COLOUR_ERROR = 12  # of 255; YUV with its colours at half resolution costs 2


class FrameReader(Protocol):
    """What a meeting program does with a camera."""

    def read(self) -> Picture | None:
        """The next picture, RGB (height, width, 3), waiting for it; None when none came."""
        ...

    def close(self) -> None: ...


class SendingCamera(Protocol):
    """A virtual camera; ``device`` is its path or name."""

    device: str

    def send(self, picture: Picture) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class RoundTrip:
    """One frame that was read back; times in seconds of one clock, ``colour_error`` 0…255."""

    number: int
    sent_s: float
    read_s: float
    colour_error: int


@dataclass(frozen=True)
class LoopResult:
    """What the reader got.

    p50_ms, p95_ms  latency from ``send`` to the reader's ``read`` [ms], percentiles
    fps             pictures per second at the reader
    expected        frames sent between the first and the last that were read
    dropped         of these, how many were never read
    repeated        frames that were read again
    foreign         pictures that carried no number
    colour_error    the largest, 0…255
    """

    p50_ms: float
    p95_ms: float
    fps: float
    expected: int
    dropped: int
    repeated: int
    foreign: int
    colour_error: int


@dataclass
class FrameSender:
    """Sends numbered frames of ``size`` (width, height) at ``fps``; ``sent_s`` holds when each number was sent."""

    camera: SendingCamera
    size: tuple[int, int]
    fps: int
    clock: Clock
    sent_s: dict[int, float] = field(default_factory=dict)
    failure: DeviceError | None = None

    def __post_init__(self) -> None:
        width, height = self.size
        self._picture = np.empty((height, width, 3), np.uint8)
        self._next_s = self.clock.now()
        self._stop = threading.Event()

    def step(self) -> None:
        """Sends the next frame when its time has come."""
        number = len(self.sent_s) % NUMBERS
        write_code(self._picture, number)
        self.clock.wait_until(self._next_s)
        self.sent_s[number] = self.clock.now()
        self.camera.send(self._picture)
        self._next_s += 1 / self.fps

    @contextmanager
    def running(self) -> Iterator[None]:
        """Sends from a thread while the block runs."""
        thread = threading.Thread(target=self._run, name="sender", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _run(self) -> None:
        """Until stopped, or until the camera fails: then ``failure`` holds the reason."""
        try:
            while not self._stop.is_set():
                self.step()
        except DeviceError as error:
            self.failure = error


def run_loop(
    open_camera: Callable[[], SendingCamera],
    open_reader: Callable[[str], FrameReader],
    size: tuple[int, int],
    fps: int,
    *,
    clock: Clock,
    wanted: int = WANTED,
) -> LoopResult:
    """Sends until ``wanted`` frames were read back. Raises DeviceError when sending or reading fails.

    The camera gets a first frame before the reader is opened, because systems list it only from then on.
    """
    with closing(open_camera()) as camera:
        sender = FrameSender(camera, size, fps, clock)
        sender.step()
        with sender.running(), closing(open_reader(camera.device)) as reader:
            trips, foreign = read_back(sender, reader, wanted)
    return summary(trips, foreign)


def read_back(sender: FrameSender, reader: FrameReader, wanted: int) -> tuple[list[RoundTrip], int]:
    """(round trips, how many pictures carried no number); raises DeviceError when too few arrive."""
    trips: list[RoundTrip] = []
    foreign, end_s = 0, sender.clock.now() + TIMEOUT_S
    while len(trips) < WARM_UP + wanted:
        picture = reader.read()
        now = sender.clock.now()
        if sender.failure is not None:
            raise sender.failure
        if picture is None or now > end_s:
            raise DeviceError(f"Of the pictures sent, only {len(trips)} came back within {TIMEOUT_S:.0f} s.")
        number = read_code(picture)
        if number is None or number not in sender.sent_s:
            foreign += 1
            continue
        trips.append(RoundTrip(number, sender.sent_s[number], now, colour_error(picture)))
    return trips[WARM_UP:], foreign


def summary(trips: list[RoundTrip], foreign: int) -> LoopResult:
    """The result of at least two round trips."""
    first = {trip.number: trip for trip in reversed(trips)}  # the first arrival of each
    numbers = sorted(first)
    latency_ms = [1000 * (first[number].read_s - first[number].sent_s) for number in numbers]
    p50, p95 = np.percentile(latency_ms, [50, 95])
    span_s = trips[-1].read_s - trips[0].read_s
    expected = numbers[-1] - numbers[0] + 1
    return LoopResult(
        round(float(p50), 2),
        round(float(p95), 2),
        round((len(trips) - 1) / span_s, 2) if span_s > 0 else 0.0,
        expected,
        dropped=expected - len(numbers),
        repeated=len(trips) - len(numbers),
        foreign=foreign,
        colour_error=max(trip.colour_error for trip in trips),
    )


def loop_finding(
    system: SystemFacts,
    findings: list[Finding],
    *,
    open_camera: Callable[[tuple[int, int], int, str], SendingCamera] = VirtualCamera,
    open_reader: Callable[[str], FrameReader] = open_camera_reader,
    clock: Clock | None = None,
) -> tuple[Finding, dict[str, Any] | None]:
    """(finding, the numbers of ``LoopResult``); the numbers are None when the test could not be made."""
    if system.program is None:
        return Finding(LOOP, "absent", "not tried: see libraries, above"), None
    if any(node.ours and node.device.name == system.program.settings.output.camera_name for node in system.cameras.nodes):
        return Finding(LOOP, "absent", "not tried: HifiHead Cam is sending; end it, then try again"), None
    if any(finding.name == VIRTUAL_CAMERA and finding.state != "ok" for finding in findings):
        return Finding(LOOP, "absent", "not tried: see virtual camera, above"), None
    output = system.program.settings.output
    size = (output.width_px, output.height_px)
    try:
        result = run_loop(
            lambda: open_camera(size, output.fps, output.camera_name),
            open_reader,
            size,
            output.fps,
            clock=clock or SystemClock(),
        )
    except DeviceError as error:
        return Finding(LOOP, "failed", str(error)), None
    return judge(result), asdict(result)


def judge(result: LoopResult) -> Finding:
    """Whether a meeting program would get what is sent."""
    detail = (
        f"{result.p50_ms:.1f} ms from sending to reading, p95 {result.p95_ms:.1f} ms; {result.dropped} of {result.expected}"
        f" pictures dropped, {result.repeated} repeated, {result.fps:.1f} per second; colours off by {result.colour_error} of 255"
    )
    if result.dropped > result.expected // 2:
        return Finding(LOOP, "failed", detail, ("This machine is too busy: close other programs, or lower output.fps.",))
    if result.colour_error > MAX_COLOUR_ERROR:
        return Finding(LOOP, "failed", detail, ("The driver changes the colours: update v4l2loopback.",))
    return Finding(LOOP, "ok", detail)
