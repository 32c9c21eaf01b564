"""What the camera's state means in OBS: a few words, and whether the face counts as lost."""

from __future__ import annotations

NAME = "HifiHead Cam"
WORDS = {
    "starting": "starting",
    "waiting": "no face yet",
    "driving": "live",
    "holding": "live",
    "idle": "no face",
    "privacy": "no face, privacy card",
    "stalled": "no pictures",
    "resting": "nobody watches",
    "paused": "paused",
    "card": "card",
    "ended": "off",
}
SEEN = ("driving", "holding")
LOST = ("waiting", "idle", "privacy", "stalled", "paused", "card")  # in the others nobody is looked for


def text_of(state: str) -> str:
    """What a text source shows; ``state`` as of ``Snapshot``."""
    return f"{NAME}: {WORDS.get(state, state)}"


class Presence:
    """Whether the face is lost, after it has been for ``after_s``; that it is back is told at once."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._known = False
        self._lost_s: float | None = None

    def update(self, state: str, now_s: float) -> None:
        """The camera's state at this moment."""
        if state in SEEN:
            self._known, self._lost_s = True, None
        elif state in LOST:
            self._known, self._lost_s = True, now_s if self._lost_s is None else self._lost_s

    def away(self, now_s: float) -> bool | None:
        """Whether it counts as lost; None before anything is known."""
        if not self._known:
            return None
        return self._lost_s is not None and now_s - self._lost_s >= self._after_s
