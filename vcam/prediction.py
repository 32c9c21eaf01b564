"""Motion between two results of the tracker, when it is slower than the output: the last movement goes on for a moment."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.values import EXPRESSION_NAMES, Coefficients, Floats
from vcam.cue import Cue
from vcam.seams import State

AHEAD_S = 0.08  # never further than this
GAIN = 0.8  # a little less than the whole speed: movements end more often than they grow
SLOW = 1.5  # results this many output periods apart leave gaps that are worth filling
LONGEST_GAP_S = 0.25  # results farther apart say nothing about speed


@dataclass(frozen=True)
class PredictedMotion:
    """As ``vcam.drive.Motion``."""

    z: Coefficients
    state: State


class Predictor:
    """``learn`` each cue when it is drawn; ``predict`` what comes between it and the next. ``period_s`` is the output's."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._cue: Cue | None = None
        self._learned_s = 0.0
        self._gap_s = 0.0  # between the last two results
        self._change: Floats | None = None  # per second

    @property
    def active(self) -> bool:
        """Whether results come so slowly, and so regularly, that gaps are filled."""
        return self._change is not None and self._gap_s > SLOW * self._period_s

    def learn(self, cue: Cue, now: float) -> None:
        """The newest result, drawn at ``now``."""
        gap_s = self._gap(cue)
        self._change = None
        if self._cue is not None and gap_s is not None:
            self._change = GAIN * (motion_of(cue.motion.z) - motion_of(self._cue.motion.z)) / np.float32(gap_s)
        self._gap_s = gap_s or 0.0
        self._cue, self._learned_s = cue, now

    def predict(self, now: float) -> Cue | None:
        """The cue of ``now``; None when there is nothing to add to the last one."""
        ahead_s = now - self._learned_s
        if self._cue is None or self._change is None or not self.active or ahead_s > min(self._gap_s, AHEAD_S):
            return None
        z = moved(self._cue.motion.z, self._change * np.float32(ahead_s))
        return replace(self._cue, motion=PredictedMotion(z, self._cue.motion.state), captured_s=None)

    def _gap(self, cue: Cue) -> float | None:
        """Seconds between the captures of the last cue and this one; None when the two do not belong together."""
        last = self._cue
        if last is None or last.avatar is not cue.avatar or last.captured_s is None or cue.captured_s is None:
            return None
        if not last.motion.state == cue.motion.state == "driving":
            return None
        gap_s = cue.captured_s - last.captured_s
        return gap_s if 0 < gap_s <= LONGEST_GAP_S else None


def motion_of(z: Coefficients) -> Floats:
    """(134,) what moves: expression, pose, gaze."""
    return np.concatenate([z.expression, z.pose, z.gaze])


def moved(z: Coefficients, change: Floats) -> Coefficients:
    """z with ``change`` (134,) added to what moves; named expressions stay in 0…1."""
    expression, pose, gaze = np.split(motion_of(z) + change, [z.expression.size, z.expression.size + z.pose.size])
    named = len(EXPRESSION_NAMES)
    expression[:named] = np.clip(expression[:named], 0, 1)
    return replace(z, expression=expression, pose=pose, gaze=gaze)
