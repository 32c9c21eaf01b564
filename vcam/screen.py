"""What the sink's clock finds when it looks: the newest picture, a placeholder before the first, a card when they stop."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.values import Picture
from vcam.cards import placeholder, privacy_card

STALL_S = 3.0  # a picture older than this is not repeated any further


@dataclass(frozen=True)
class Shown:
    """``state``: "starting", a motion's state, or "stalled". ``captured_s`` as in ``Cue``. ``number`` counts pictures, from 1."""

    picture: Picture
    state: str
    avatar: str = ""
    captured_s: float | None = None
    number: int = 0
    shown_s: float = 0.0


class Screen:
    """One writer calls ``show``, the sink's clock calls ``current``."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._starting = Shown(placeholder(size), "starting")
        self._stalled = Shown(privacy_card(size), "stalled")
        self._newest: Shown | None = None

    def show(self, shown: Shown) -> None:
        """Replaces the newest picture; numbers it."""
        number = self._newest.number + 1 if self._newest else 1
        self._newest = replace(shown, number=number)

    def current(self, now: float) -> Shown:
        """What to send at ``now``."""
        newest = self._newest
        if newest is None:
            return self._starting
        if now - newest.shown_s > STALL_S:
            return replace(self._stalled, number=newest.number, avatar=newest.avatar)
        return newest
