"""The sink's clock: pictures leave at even times, whatever the rest of the program does."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from threading import Event

from vcam.attention import LOOK_EVERY_S
from vcam.phase import Phase
from vcam.screen import Screen, Shown
from vcam.seams import Clock, Sink
from vcam.stats import Rate, Stats

REST_PERIOD_S = 0.5  # between pictures while nobody watches: the camera stays listed, and costs nothing


class SinkLoop:
    """Sends the screen's picture to every sink at ``fps``. A late picture is not waited for: the last one is repeated.

    ``resting`` makes it send seldom; it may be set from ``check``. The stats get "jitter": how far the time between two sendings
    is from the period.
    """

    def __init__(self, screen: Screen, sinks: Sequence[Sink], fps: int, *, clock: Clock, stats: Stats) -> None:
        self._screen, self._sinks, self._period_s = screen, sinks, 1 / fps
        self._clock, self._stats = clock, stats
        self._last_number = 0
        self._phase, self._shift_s = Phase(), 0.0
        self._sent_s: float | None = None  # when the last picture was sent at the full rate
        self.resting = False
        self.rate = Rate()  # of new pictures
        self.sent = 0  # pictures sent since the avatar appeared, repetitions included
        self.placeholders = 0
        self.newest: Shown | None = None

    def run(self, stop: Event, *, frames: int | None, placeholders: bool, check: Callable[[], None]) -> None:
        """Until ``stop`` is set or ``frames`` were sent, those before the avatar appeared not counted.

        ``placeholders``: whether the sinks get pictures before that. ``check`` is called after each picture and may raise.
        """
        start_s, number = self._clock.now(), 0
        while not stop.is_set() and (frames is None or self.sent < frames):
            # wait for the picture's time, and send what is on the screen
            self._clock.wait_until(start_s + number * self._period_s)
            self.tick(placeholders=placeholders)
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

    def tick(self, *, placeholders: bool) -> None:
        """Sends one picture."""
        now = self._clock.now()
        shown = self._screen.current(now)
        if shown.state != "starting" or placeholders:
            with self._stats.measure("send"):
                for sink in self._sinks:
                    sink.send(shown.picture)
        self._account(shown, now)

    def _account(self, shown: Shown, now: float) -> None:
        """Counts a picture sent at ``now``."""
        self.newest = shown
        if shown.state == "starting":
            self.placeholders += 1
        else:
            self.sent += 1
        if self._sent_s is not None:
            self._stats.add("jitter", abs(now - self._sent_s - self._period_s))
        self._sent_s = now
        self._shift_s = self._phase.shift_s(shown.number - self._last_number, now - shown.shown_s)
        if shown.number == self._last_number:
            return
        self._last_number = shown.number
        self.rate.tick(now)
        if shown.captured_s is not None:
            self._stats.add("latency", self._clock.now() - shown.captured_s)
