"""What streams of sound have in common."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from engine.values import Floats

RATE_HZ = 48_000  # of what is played, and of what plug-ins hear
LOOK_S = 0.05  # how often a stream looks whether to go on

Take = Callable[[Floats, float], None]
"""Takes (N, channels) float32 from a microphone, and how long ago its last sample was heard [s]."""
OpenStream = Callable[[str, Take], AbstractContextManager[int]]
"""Opens a microphone by name; the context gives its rate [Hz] and raises DeviceError when it cannot be opened."""


class Player(Protocol):
    """What is played."""

    @property
    def lead_s(self) -> float:
        """How much of it should lie ready [s], where that can be chosen."""

    def fill(self, count: int, in_s: float) -> Floats:
        """(count,) float32, the next samples, the first of which is heard in ``in_s``."""

    def goes_on(self) -> bool:
        """Whether there is more."""
