"""The quality governor: when a thread cannot keep up, the work becomes less in named steps; when there is room again, more."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from vcam.interfaces import Clock, Say

Thread = Literal["tracking", "drawing"]

WINDOW_S = 1.0  # over which a thread's load is taken
MISSED = 0.93  # share of its time that a thread is busy; above it frames are lost
TIGHT = 0.8  # above it no thread is given more
# Below it the thread whose work became less may have it back; tracking would have twice as much.
ROOM: dict[Thread, float] = {"tracking": 0.45, "drawing": 0.6}
PATIENCE_S, LONGEST_PATIENCE_S = 4.0, 64.0  # with room before the next step up; doubled when that step was a mistake
MISTAKE_S = 10.0  # a step down so soon after a step up shows that the step up was a mistake
SETTLE_S = 3.0  # after the start and after a rest: engines warm up


@dataclass(frozen=True)
class Level:
    """How much work is done.

    track_every    the face is looked for in every so-manieth frame; between them its motion is continued
    network_every  the network corrects every so-manieth picture, the others take the last corrections; 0 = it is left out
    slowness       a picture is drawn every so many output periods
    relieved       the thread that has less to do than at the level before
    """

    name: str
    relieved: Thread | None = None
    track_every: int = 1
    network_every: int = 1
    slowness: int = 1


LEVELS = (
    Level("full"),
    Level("face every second frame", "tracking", track_every=2),
    Level("network every second picture", "drawing", track_every=2, network_every=2),
    Level("geometry only", "drawing", track_every=2, network_every=0),
    Level("half the pictures", "drawing", track_every=2, network_every=0, slowness=2),
)
FULL = LEVELS[0]
YIELDING = Level("a portrait is being prepared", track_every=4, network_every=0, slowness=5)


class Governor:
    """Each thread tells what it ``worked``; each reads ``level`` before its next piece of work. Safe to use from all of them."""

    def __init__(self, clock: Clock, say: Say, *, steady: bool = False) -> None:
        """``steady``: it stays at full work, whatever happens."""
        self._clock, self._say = clock, say
        self._lock = threading.Lock()
        self._steady = steady
        self._number = 0
        self._yielding = 0  # how many pieces of work it makes room for
        self._patience_s = PATIENCE_S
        self._raised_s = -MISTAKE_S  # when the last step up was
        self._work: dict[Thread, deque[tuple[float, float]]] = {}
        self._forget(SETTLE_S)

    @property
    def level(self) -> Level:
        return YIELDING if self._yielding and self._number else LEVELS[self._number]

    def settle(self) -> None:
        """Forgets the past work: for a while nothing is decided."""
        with self._lock:
            self._forget(SETTLE_S)

    @contextmanager
    def yielding(self) -> Iterator[None]:
        """Around work that somebody waits for: on a machine that is too busy for full work anyway, less is done meanwhile."""
        with self._lock:
            self._yielding += 1
        try:
            yield
        finally:
            with self._lock:
                self._yielding -= 1
                self._forget(SETTLE_S)

    def _forget(self, settle_s: float) -> None:
        """Nothing is decided for ``settle_s``; the lock is held."""
        self._work.clear()
        self._ready_s = self._clock.now() + settle_s
        self._room_s: float | None = None  # since when there has been room

    @contextmanager
    def working(self, thread: Thread) -> Iterator[None]:
        """Around a piece of work of ``thread``."""
        start_s = self._clock.now()
        try:
            yield
        finally:
            self.worked(thread, self._clock.now() - start_s)

    def worked(self, thread: Thread, seconds: float) -> None:
        """``thread`` has just been busy for ``seconds``."""
        with self._lock:
            now = self._clock.now()
            self._work.setdefault(thread, deque()).append((now, seconds))
            if now >= self._ready_s and not self._steady and not self._yielding:
                self._decide({name: self._load(name, now) for name in self._work}, now)

    def _load(self, thread: Thread, now: float) -> float:
        """The share of the last second in which a thread was busy."""
        work = self._work[thread]
        while work and work[0][0] <= now - WINDOW_S:
            work.popleft()
        return sum(seconds for _, seconds in work) / WINDOW_S

    def _decide(self, loads: dict[Thread, float], now: float) -> None:
        most, relieved = max(loads.values()), self.level.relieved
        if most >= TIGHT or relieved is None or loads.get(relieved, 0.0) >= ROOM[relieved]:
            self._room_s = None
        elif self._room_s is None:
            self._room_s = now
        if most > MISSED and self._number + 1 < len(LEVELS):
            self._lower(now)
        elif self._room_s is not None and now - self._room_s >= self._patience_s and self._number > 0:
            self._move(-1)
            self._raised_s = now

    def _lower(self, now: float) -> None:
        mistaken = now - self._raised_s < MISTAKE_S
        self._patience_s = min(2 * self._patience_s, LONGEST_PATIENCE_S) if mistaken else PATIENCE_S
        self._move(1)

    def _move(self, step: int) -> None:
        self._number += step
        self._forget(WINDOW_S)
        self._say(f"Quality: {self.level.name} ({'the machine is busy' if step > 0 else 'there is room again'}).")
