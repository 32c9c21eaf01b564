"""Whether anybody watches: without a viewer the webcam is given back and the camera rests; with one it is awake at once."""

from __future__ import annotations

from collections.abc import Callable

from vcam.interfaces import Clock

LOOK_EVERY_S = 0.05
LOOKS_UNTIL_AWAKE = 2  # in a row: programs that only list the cameras have theirs closed again by then
AWAY_S = 10.0  # without a viewer for so long, the camera rests


class ViewerPresence:
    """``look`` often; it calls ``rest`` and ``wake`` in turn, ``rest`` first.

    ``watched`` tells whether somebody watches, or may: True where that cannot be known. It is asked at most every
    ``LOOK_EVERY_S``.
    """

    def __init__(self, watched: Callable[[], bool], *, rest: Callable[[], None], wake: Callable[[], None], clock: Clock) -> None:
        self._watched, self._rest, self._wake, self._clock = watched, rest, wake, clock
        self._next_s = clock.now()
        self._watched_s: float | None = None  # when somebody was last seen; at first, when it was first asked
        self._looks = 0  # in a row at which somebody was seen
        self.resting = False

    def look(self, *, always_on: bool = False) -> None:
        """Sees who is there, and acts. ``always_on`` counts as a viewer."""
        now = self._clock.now()
        if now < self._next_s:
            return
        self._next_s = now + LOOK_EVERY_S
        self._looks = self._looks + 1 if always_on or self._watched() else 0
        if self._looks or self._watched_s is None:
            self._watched_s = now
        if self.resting and self._looks >= LOOKS_UNTIL_AWAKE:
            self.resting = False
            self._wake()
        elif not self.resting and now - self._watched_s >= AWAY_S:
            self.resting = True
            self._rest()
