"""One place for the newest value: never a queue, so that no delay can build up between threads."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Slot(Generic[T]):
    """``put`` replaces what was there, ``take`` empties it. ``dropped`` counts values that nobody took."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._value: T | None = None
        self._closed = False
        self.dropped = 0

    def put(self, value: T) -> None:
        with self._condition:
            self.dropped += self._value is not None
            self._value = value
            self._condition.notify_all()

    def take(self, timeout_s: float) -> T | None:
        """The newest value, waiting up to ``timeout_s``; None when none came or the slot was closed."""
        with self._condition:
            if self._value is None and not self._closed:
                self._condition.wait_for(lambda: self._value is not None or self._closed, timeout_s)
            value, self._value = self._value, None
            return value

    def close(self) -> None:
        """Wakes everybody who waits; later ``take`` calls return at once."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
