"""What the sink's clock finds when it looks: the newest picture, a placeholder before the first, a card when they stop."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.values import Picture
from vcam.cards import placeholder, privacy_card

STALL_S = 3.0  # a picture older than this is not repeated any further


@dataclass(frozen=True)
class Shown:
    """``state``: "starting", a motion's state, "stalled" or "resting". ``captured_s`` as in ``Cue``. ``number`` counts from 1."""

    picture: Picture
    state: str
    avatar: str = ""
    captured_s: float | None = None
    number: int = 0
    shown_s: float = 0.0
    engine: str = ""


class Screen:
    """One writer calls ``show``, the sink's clock calls the rest."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._starting = Shown(placeholder(size), "starting")
        self._stalled = Shown(privacy_card(size), "stalled")
        self._newest: Shown | None = None
        self._resting = False
        self._awake_s = 0.0

    def show(self, shown: Shown) -> None:
        """Replaces the newest picture; numbers it."""
        self._newest = replace(shown, number=self.drawn + 1)

    @property
    def drawn(self) -> int:
        """How many pictures were shown so far."""
        return self._newest.number if self._newest else 0

    def rest(self) -> None:
        """From now on no new pictures are expected: the last one stays."""
        self._resting = True

    def wake(self, now: float) -> None:
        """Ends ``rest``."""
        self._resting, self._awake_s = False, now

    def current(self, now: float) -> Shown:
        """What to send at ``now``."""
        newest = self._newest
        if newest is None:
            return self._starting
        if self._resting:
            return replace(newest, state="resting")
        if now - max(newest.shown_s, self._awake_s) > STALL_S:
            return replace(self._stalled, number=newest.number, avatar=newest.avatar)
        return newest
