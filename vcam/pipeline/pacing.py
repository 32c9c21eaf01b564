"""The sinks' clock: pictures leave at even times, whatever the rest of the program does."""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import platform
import struct
from collections.abc import Callable, Sequence
from threading import Event

from engine.errors import HifiHeadError
from engine.values import Picture
from vcam.interfaces import Clock, Sink
from vcam.pipeline.latest import LatestFrame, OutputFrame
from vcam.pipeline.presence import LOOK_EVERY_S
from vcam.stats import Rate, Stats

REST_PERIOD_S = 0.5  # between pictures while nobody watches: the camera stays listed, and costs nothing

WAIT_S = 0.006  # how long a picture shall lie ready: drawing takes now more, now less
PULL = 0.02  # share of what it lies too long, by which the next sending comes earlier
STEP_S = 0.0005  # the most that one sending is shifted: nobody sees that
FORGET = 1 / 30  # of the rate of new pictures, per sending
IN_STEP = 0.1  # how far that rate may be from one picture a sending

SLICE_NS = 100_000  # the shortest that Linux takes: a thread with a short slice goes before those with long ones when it wakes
SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}  # <asm/unistd.h>: the C library has no function for it
ATTRIBUTES = struct.Struct("IIQiIQQQ")  # <linux/sched/types.h> struct sched_attr: size, policy, flags, nice, priority, runtime, …


class Phase:
    """When within its period the sink sends: soon after pictures are drawn, instead of whenever the program happened to start.

    ``shift_s`` after each sending. Only pictures that come as often as they are sent can be kept in step with.
    """

    def __init__(self) -> None:
        self._drawn = 0.0  # new pictures per sending, lately

    def shift_s(self, new_pictures: int, waited_s: float) -> float:
        """By how much the schedule is to be shifted, later being positive.

        ``new_pictures`` were drawn since the last sending, the newest of them ``waited_s`` before this one.
        """
        self._drawn += FORGET * (min(new_pictures, 2) - self._drawn)
        if abs(self._drawn - 1) > IN_STEP:
            return 0.0
        if new_pictures == 0:  # it came too late for this one
            return STEP_S
        return -min(max(PULL * (waited_s - WAIT_S), -STEP_S), STEP_S)


def raise_failure(_sink: Sink, error: HifiHeadError) -> None:
    """The failure of a sink ends the loop."""
    raise error


class SinkLoop:
    """Sends the latest frame to every sink at ``fps``. A late picture is not waited for: the last one is repeated.

    ``resting`` makes it send seldom; it may be set from ``check``. The stats get "jitter": how far the time between two sendings
    is from the period.
    """

    def __init__(
        self,
        latest: LatestFrame,
        sinks: Sequence[Sink],
        fps: int,
        *,
        clock: Clock,
        stats: Stats,
        on_failure: Callable[[Sink, HifiHeadError], None] = raise_failure,
        on_sent: Callable[[Picture], None] = lambda _picture: None,
    ) -> None:
        """``on_failure`` hears of a sink that takes no more pictures, and raises, or takes it out of ``sinks``. ``on_sent`` hears
        of each picture that was sent since the avatar appeared."""
        self._latest, self._sinks, self._period_s, self._on_failure = latest, sinks, 1 / fps, on_failure
        self._on_sent = on_sent
        self._clock, self._stats = clock, stats
        self._last_number = 0
        self._phase, self._shift_s = Phase(), 0.0
        self._sent_s: float | None = None  # when the last picture was sent at the full rate
        self.resting = False
        self.rate = Rate()  # of new pictures
        self.sent = 0  # pictures sent since the avatar appeared, repetitions included
        self.newest: OutputFrame | None = None

    def run(self, stop: Event, *, frames: int | None, check: Callable[[], None]) -> None:
        """Until ``stop`` is set or ``frames`` were sent, those before the avatar appeared not counted.

        ``check`` is called after each picture and may raise.
        """
        start_s, number = self._clock.now(), 0
        while not stop.is_set() and (frames is None or self.sent < frames):
            # wait for the picture's time, and send the latest
            self._clock.wait_until(start_s + number * self._period_s)
            self.tick()
            # everything else, while there is time
            check()
            # nobody watches: wait until somebody does, or until a still picture is due
            rest_s = self._clock.now() + REST_PERIOD_S
            while self.resting and not stop.is_set() and self._clock.now() < rest_s:
                self._sent_s = None
                self._clock.wait_until(self._clock.now() + LOOK_EVERY_S)
                check()
            # the next time of an even schedule; times that have passed meanwhile are skipped, not caught up
            start_s += self._shift_s
            number = max(number + 1, math.ceil((self._clock.now() - start_s) / self._period_s))

    def tick(self) -> None:
        """Sends one picture; before the avatar appeared, to those sinks that take placeholders."""
        now = self._clock.now()
        frame = self._latest.current(now)
        with self._stats.measure("send"):
            for sink in tuple(self._sinks):
                if frame.state != "starting" or sink.placeholders:
                    self._send(sink, frame.picture)
        if frame.state != "starting":
            self._on_sent(frame.picture)
        self._account(frame, now)

    def _send(self, sink: Sink, picture: Picture) -> None:
        try:
            sink.send(picture)
        except HifiHeadError as error:
            self._on_failure(sink, error)

    def _account(self, frame: OutputFrame, now: float) -> None:
        """Counts a picture sent at ``now``."""
        self.newest = frame
        self.sent += frame.state != "starting"
        if self._sent_s is not None:
            self._stats.add("jitter", abs(now - self._sent_s - self._period_s))
        self._sent_s = now
        self._shift_s = self._phase.shift_s(frame.number - self._last_number, now - frame.drawn_s)
        if frame.number == self._last_number:
            return
        self._last_number = frame.number
        self.rate.tick(now)
        if frame.captured_s is not None:
            self._stats.add("latency", self._clock.now() - frame.captured_s)


def wake_promptly() -> None:
    """Asks the system to let the calling thread in as soon as its time has come, on Linux 6.12 and newer; elsewhere nothing
    changes. It gets no more processor time than before."""
    number = SCHED_SETATTR.get(platform.machine())
    if platform.system() != "Linux" or number is None or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    attributes = ATTRIBUTES.pack(ATTRIBUTES.size, os.SCHED_OTHER, 0, nice, 0, SLICE_NS, 0, 0)
    with contextlib.suppress(OSError, AttributeError):  # refused, or a C library without syscall(): it is only a wish
        ctypes.CDLL(None).syscall(number, 0, attributes, 0)
