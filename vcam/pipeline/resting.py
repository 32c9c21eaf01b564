"""Resting: no new pictures are made, the webcam is given back, and the last picture stays."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal

from vcam.interfaces import Clock
from vcam.pipeline.latest import LatestFrame
from vcam.pipeline.pacing import SinkLoop
from vcam.pipeline.threads import Pipeline

RestReason = Literal["resting", "paused"]
"""Nobody watches; the user paused the camera."""


class Resting:
    """There may be several reasons at once: work goes on when the last one has ended. Called from any thread."""

    def __init__(self, pipeline: Pipeline, loop: SinkLoop, latest: LatestFrame, *, clock: Clock) -> None:
        self._pipeline, self._loop, self._latest, self._clock = pipeline, loop, latest, clock
        self._lock = threading.Lock()
        self._reasons: frozenset[RestReason] = frozenset()

    @property
    def reasons(self) -> frozenset[RestReason]:
        """Why no new pictures are made; empty while they are."""
        return self._reasons

    def begin(self, reason: RestReason, told: Callable[[], None]) -> None:
        """Nothing where that is a reason already; else calls ``told`` once it rests."""
        with self._lock:
            if reason in self._reasons:
                return
            self._reasons |= {reason}
            self._pipeline.rest()
            self._show()
            told()

    def end(self, reason: RestReason, told: Callable[[], None]) -> None:
        """Nothing where that is no reason; else calls ``told`` once it is none any more."""
        with self._lock:
            if reason not in self._reasons:
                return
            self._reasons -= {reason}
            self._show()
            if not self._reasons:
                self._latest.wake(self._clock.now())
                self._pipeline.wake()
            told()

    def _show(self) -> None:
        """Tells the sinks' clock and the latest frame why no new pictures come."""
        self._loop.resting = "resting" in self._reasons
        if self._reasons:
            self._latest.rest("paused" if "paused" in self._reasons else "resting")
