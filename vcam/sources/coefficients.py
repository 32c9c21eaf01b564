"""Motion without a camera: the base of the sources that make their observations themselves."""

from __future__ import annotations

import threading

from engine.resource import Resource
from vcam.interfaces import Closable
from vcam.motion import Observation, Priority


class CoefficientSource(Resource):
    """A ``MotionSource`` without device and without faces. Subclasses say in ``observe`` what moves the avatar; by itself it
    observes nobody, and the avatar idles."""

    follows = False
    priority = Priority.RECORDING
    remembered_as: str | None = None

    def __init__(self, name: str) -> None:
        self.name = name
        self._closed = threading.Event()

    def observe(self) -> Observation | None:
        """The motion of this moment; None when there is nothing new."""
        return None

    def start(self) -> None:
        """It has no device."""

    def prepare(self) -> None:
        """It needs nothing."""

    def take(self, timeout_s: float) -> Observation | None:
        """Lets the time pass, then observes."""
        self._closed.wait(timeout_s)
        return self.observe()

    def recalibrate(self) -> None:
        """Nobody is there to be measured anew."""

    def use_regressor(self, regressor: Closable) -> Closable:
        """No faces are read here."""
        return regressor

    def rest(self) -> None:
        """It has no device."""

    def wake(self) -> None:
        """It has no device."""

    def close(self) -> None:
        """Ends a ``take`` that waits."""
        self._closed.set()
