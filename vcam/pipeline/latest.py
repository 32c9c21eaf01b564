"""What the sinks' clock finds when it looks: the latest output frame, a placeholder before the first, or a card."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.values import Picture
from vcam.avatars.cards import paused_card, placeholder, privacy_card

STALL_S = 3.0  # a picture older than this is not repeated any further


@dataclass(frozen=True)
class OutputFrame:
    """A picture to send, and what belongs to it.

    picture     (height, width, 3) RGB
    state       a ``vcam.motion.State``, or "starting", "stalled", "resting", "paused", "card"
    avatar      name of the avatar shown
    captured_s  as of ``vcam.motion.MotionFrame``
    drawn_s     when it was drawn
    number      counts from 1
    engine      what runs the networks, and what is being built
    """

    picture: Picture
    state: str
    avatar: str = ""
    captured_s: float | None = None
    drawn_s: float = 0.0
    number: int = 0
    engine: str = ""


class LatestFrame:
    """One writer calls ``show``, the sinks' clock ``current``, and the session the rest."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._starting = OutputFrame(placeholder(size), "starting")
        self._stalled = OutputFrame(privacy_card(size), "stalled")
        self._card = OutputFrame(paused_card(size), "card")
        self._newest: OutputFrame | None = None
        self._still: str | None = None  # the state that is told while no new pictures are expected
        self._awake_s = 0.0
        self.card_shown = False

    def show(self, frame: OutputFrame) -> None:
        """Replaces the newest picture; numbers it."""
        self._newest = replace(frame, number=self.drawn + 1)

    @property
    def drawn(self) -> int:
        """How many pictures were shown so far."""
        return self._newest.number if self._newest else 0

    def rest(self, state: str) -> None:
        """From now on no new pictures are expected: the last one stays, with this state."""
        self._still = state

    def wake(self, now: float) -> None:
        """Ends ``rest``."""
        self._still, self._awake_s = None, now

    def current(self, now: float) -> OutputFrame:
        """What to send at ``now``."""
        newest = self._newest
        if newest is None:
            return self._starting
        if self.card_shown:
            return replace(self._card, number=newest.number, avatar=newest.avatar, engine=newest.engine)
        if self._still is not None:
            return replace(newest, state=self._still)
        if now - max(newest.drawn_s, self._awake_s) > STALL_S:
            return replace(self._stalled, number=newest.number, avatar=newest.avatar)
        return newest
