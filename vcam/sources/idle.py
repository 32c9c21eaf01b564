"""Nobody drives: the avatar breathes and blinks by itself."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from vcam.interfaces import Resource

if TYPE_CHECKING:
    from vcam.build import Builder


def open_source(builder: Builder, argument: str) -> IdleSource:
    """Neither settings nor an argument matter."""
    del builder, argument
    return IdleSource("idle")


class IdleSource:
    """A ``MotionSource`` that never observes anybody."""

    follows = False

    def __init__(self, name: str) -> None:
        self.name = name
        self._closed = threading.Event()

    def start(self) -> None:
        """It has no device."""

    def prepare(self) -> None:
        """It needs nothing."""

    def take(self, timeout_s: float) -> None:
        """Lets the time pass."""
        self._closed.wait(timeout_s)

    def recalibrate(self) -> None:
        """Nobody is there to be measured anew."""

    def use_regressor(self, regressor: Resource) -> Resource:
        """No faces are read here."""
        return regressor

    def rest(self) -> None:
        """It has no device."""

    def wake(self) -> None:
        """It has no device."""

    def close(self) -> None:
        self._closed.set()
