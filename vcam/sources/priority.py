"""Several motion sources at once: the one with the highest priority that sees somebody moves the avatar.

idle < recording < webcam < phone < one-shot. A source that falls silent gives way after ``SILENT_S``; the drive fades. While a
source moves the avatar for long, those below it rest: a phone that drives lets the webcam's light go off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.resource import Resource
from vcam.interfaces import Clock, Closable, MotionSource
from vcam.messages import Messages
from vcam.motion import Observation, Priority

SILENT_S = 0.5  # without a driver for so long, a source counts as silent
REST_AFTER_S = 5.0  # a source that moved the avatar for so long lets those below it rest


class OneShot(MotionSource, Protocol):
    """A source that ends by itself."""

    @property
    def finished(self) -> bool: ...


@dataclass
class RankedSource:
    """A source, and what is known of it. Times on the clock."""

    source: MotionSource
    ended: Callable[[], bool] = lambda: False  # whether it has nothing more to say
    seen_s: float = -1e9  # when it last saw somebody
    since_s: float = 0.0  # since when it moves the avatar
    resting: bool = False

    def present(self, now: float) -> bool:
        """Whether it saw somebody a moment ago."""
        return now - self.seen_s < SILENT_S


class PrioritizedSources(Resource):
    """A ``MotionSource`` made of several; name and what can be calibrated are those of the one that moves the avatar."""

    def __init__(self, sources: Sequence[MotionSource], clock: Clock, messages: Messages) -> None:
        """``sources``: at least one; they belong to this object."""
        self._candidates = [RankedSource(source) for source in sorted(sources, key=lambda source: -source.priority)]
        self._winner = self._candidates[-1]
        self._clock, self._messages = clock, messages

    @property
    def name(self) -> str:
        return self._winner.source.name

    @property
    def priority(self) -> Priority:
        return self._winner.source.priority

    @property
    def follows(self) -> bool:
        return self._winner.source.follows

    @property
    def remembered_as(self) -> str | None:
        """See ``MotionSource``."""
        return self._winner.source.remembered_as

    def states(self) -> dict[str, str]:
        """{name: "drives", "waits" (for a face, or for packets) or "rests"}, the highest priority first."""
        now = self._clock.now()

        def state(candidate: RankedSource) -> str:
            if candidate is self._winner and candidate.present(now):
                return "drives"
            return "rests" if candidate.resting else "waits"

        return {candidate.source.name: state(candidate) for candidate in self._candidates}

    def start(self) -> None:
        """Begins all of them."""
        for candidate in self._candidates:
            candidate.source.start()

    def prepare(self) -> None:
        """Prepares all of them; raises HifiHeadError."""
        for candidate in self._candidates:
            candidate.source.prepare()

    def take(self, timeout_s: float) -> Observation | None:
        """The newest observation of the highest that sees somebody; those below it are not asked."""
        observation = None
        for candidate in tuple(self._candidates):
            present, lowest = candidate.present(self._clock.now()), candidate is self._candidates[-1]
            if candidate.resting:
                candidate.resting = False
                candidate.source.wake()
            observation = candidate.source.take(timeout_s if present or lowest else 0.0)
            if observation is not None and observation.driver is not None:
                self._moved_by(candidate)
                return observation
            self._drop_ended(candidate)
            if present:
                return observation
        return observation

    def play(self, one_shot: OneShot) -> None:
        """Lets a prepared source that ends by itself go before all others."""
        one_shot.start()
        self._candidates.insert(0, RankedSource(one_shot, lambda: one_shot.finished))

    def use_regressor(self, regressor: Closable) -> Closable:
        """Hands it to the source that reads faces."""
        for candidate in self._candidates:
            regressor = candidate.source.use_regressor(regressor)
        return regressor

    def recalibrate(self) -> None:
        """Of the one that moves the avatar."""
        self._winner.source.recalibrate()

    def rest(self) -> None:
        for candidate in self._candidates:
            candidate.source.rest()

    def wake(self) -> None:
        for candidate in self._candidates:
            candidate.resting = False
            candidate.source.wake()

    def close(self) -> None:
        for candidate in self._candidates:
            self._messages.attempt("source", f"Closing {candidate.source.name}", candidate.source.close)

    def _moved_by(self, candidate: RankedSource) -> None:
        now = self._clock.now()
        candidate.seen_s = now
        if candidate is not self._winner:
            self._winner, candidate.since_s = candidate, now
            self._messages.say(f"{candidate.source.name} moves the avatar.")
        elif not candidate.since_s:
            candidate.since_s = now
        if now - candidate.since_s >= REST_AFTER_S:
            for lower in self._candidates[self._candidates.index(candidate) + 1 :]:
                if not lower.resting:
                    lower.resting = True
                    lower.source.rest()

    def _drop_ended(self, candidate: RankedSource) -> None:
        if candidate.ended():
            self._candidates.remove(candidate)
            candidate.source.close()
