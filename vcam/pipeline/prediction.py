"""Motion between two results of the tracker, when it is slower than the output: the last movement goes on for a moment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.values import Floats
from vcam.motion import MotionFrame, displaced, motion_vector

AHEAD_S = 0.08  # never further than this
GAIN = 0.8  # a little less than the whole speed: movements end more often than they grow
SLOW = 1.5  # results this many output periods apart leave gaps that are worth filling
LONGEST_GAP_S = 0.25  # results farther apart say nothing about speed


class MotionPredictor:
    """``learn`` each motion when it is drawn; ``predict`` what comes between it and the next. ``period_s`` is the output's."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._last: MotionFrame | None = None
        self._learned_s = 0.0
        self._gap_s = 0.0  # between the last two results
        self._change: Floats | None = None  # per second

    @property
    def active(self) -> bool:
        """Whether results come so slowly, and so regularly, that gaps are filled."""
        return self._change is not None and self._gap_s > SLOW * self._period_s

    def learn(self, motion: MotionFrame, now: float) -> None:
        """The newest result, drawn at ``now``."""
        gap_s = self._gap(motion)
        self._change = None
        if self._last is not None and gap_s is not None:
            self._change = GAIN * (motion_vector(motion.z) - motion_vector(self._last.z)) / np.float32(gap_s)
        self._gap_s = gap_s or 0.0
        self._last, self._learned_s = motion, now

    def predict(self, now: float) -> MotionFrame | None:
        """The motion at ``now``; None when there is nothing to add to the last one."""
        ahead_s = now - self._learned_s
        if self._last is None or self._change is None or not self.active or ahead_s > min(self._gap_s, AHEAD_S):
            return None
        return replace(self._last, z=displaced(self._last.z, self._change * np.float32(ahead_s)), captured_s=None)

    def _gap(self, motion: MotionFrame) -> float | None:
        """Seconds between the captures of the last motion and this one; None when the two do not belong together."""
        last = self._last
        if last is None or last.avatar_id != motion.avatar_id or last.captured_s is None or motion.captured_s is None:
            return None
        if not last.state == motion.state == "driving":
            return None
        gap_s = motion.captured_s - last.captured_s
        return gap_s if 0 < gap_s <= LONGEST_GAP_S else None
