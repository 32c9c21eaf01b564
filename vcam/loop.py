"""The sink's clock: pictures leave at even times, whatever the rest of the program does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event

from vcam.screen import Screen, Shown
from vcam.seams import Clock, Sink
from vcam.stats import Rate, Stats


class SinkLoop:
    """Sends the screen's picture to every sink at ``fps``. A late picture is not waited for: the last one is repeated."""

    def __init__(self, screen: Screen, sinks: Sequence[Sink], fps: int, *, clock: Clock, stats: Stats) -> None:
        self._screen, self._sinks, self._period_s = screen, sinks, 1 / fps
        self._clock, self._stats = clock, stats
        self._last_number = 0
        self.rate = Rate()  # of new pictures
        self.sent = 0  # pictures sent since the avatar appeared, repetitions included
        self.placeholders = 0
        self.newest: Shown | None = None

    def run(self, stop: Event, *, frames: int | None, placeholders: bool, check: Callable[[], None]) -> None:
        """Until ``stop`` is set or ``frames`` were sent, those before the avatar appeared not counted.

        ``placeholders``: whether the sinks get pictures before that. ``check`` is called before each picture and may raise.
        """
        next_s = self._clock.now()
        while not stop.is_set() and (frames is None or self.sent < frames):
            # wait for the picture's time
            self._clock.wait_until(next_s)
            check()
            # send what is on the screen
            self.tick(placeholders=placeholders)
            # the next time; times that have passed meanwhile are skipped, not caught up
            next_s += self._period_s
            next_s = max(next_s, self._clock.now())

    def tick(self, *, placeholders: bool) -> None:
        """Sends one picture."""
        shown = self._screen.current(self._clock.now())
        self.newest = shown
        if shown.state == "starting":
            self.placeholders += 1
        else:
            self.sent += 1
        if shown.state != "starting" or placeholders:
            with self._stats.measure("send"):
                for sink in self._sinks:
                    sink.send(shown.picture)
        self._account(shown)

    def _account(self, shown: Shown) -> None:
        if shown.number == self._last_number:
            return
        self._last_number = shown.number
        now = self._clock.now()
        self.rate.tick(now)
        if shown.captured_s is not None:
            self._stats.add("latency", now - shown.captured_s)
