"""The driver at rest, learned while driving: motion is always relative to it, so nobody has to hold still for a calibration.

Pose and gaze: the mean of the first second, then a slow drift toward what is usual, so that a changed seat is forgotten.
Expression: for each channel a low quantile of what was seen, because faces rest near the low end of every blend shape; learned
within the first half minute, then so slowly that a smile that is held for a minute loses a tenth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.values import BLINKS, Coefficients, Floats

FIRST_S = 1.0
USUAL_POSE_S, USUAL_PLACE_S, USUAL_GAZE_S = 180.0, 45.0, 60.0  # time constants of the drift
QUANTILE, QUANTILE_PER_S = 0.15, 0.012
YOUNG_S = 20.0  # younger than this, the quantile moves faster by as much
FIRST_AT_MOST = 0.15  # a meeting may begin with a laugh: the first frame is not taken for rest beyond this score
FAR = np.array([0.21, 0.21, 0.21, 1.0, 1.0, 2.0])  # 12° and, sideways, 10 cm: another seat than the remembered one
BLINK_CLOSED = 0.6  # blink score of closed eyes before any were seen (mediapipe gives 0.5–0.8)


@dataclass(frozen=True)
class Rest:
    """A driver at rest: pose (6,), gaze (4,), expression (64,); closed (2,), the blink scores of closed eyes, left and right."""

    pose: Floats
    gaze: Floats
    expression: Floats
    closed: Floats


class Neutral:
    """Learns from every smoothed frame. ``pose`` (6,), ``gaze`` (4,), ``expression`` (64,), ``closed`` (2,) left, right."""

    def __init__(self, first: Coefficients, time_s: float, remembered: Rest | None = None) -> None:
        """``remembered``: from an earlier start; where the driver sits elsewhere now, the first second counts instead."""
        self._start_s = self._time_s = time_s
        self._first_pose, self._first_gaze = first.pose.copy(), first.gaze.copy()  # means of the first second
        self._to_compare = remembered is not None
        self._young_s = YOUNG_S if remembered is None else 0.0
        known = remembered or Rest(
            first.pose, first.gaze, np.minimum(first.expression, FIRST_AT_MOST), np.full(2, BLINK_CLOSED, np.float32)
        )
        self.pose, self.gaze = known.pose.copy(), known.gaze.copy()
        self.expression, self.closed = known.expression.copy(), known.closed.copy()

    def rest(self) -> Rest:
        """What is known."""
        return Rest(self.pose.copy(), self.gaze.copy(), self.expression.copy(), self.closed.copy())

    def learn(self, driver: Coefficients, time_s: float) -> None:
        """Takes in the driver at ``time_s``."""
        step_s, self._time_s = max(0.0, time_s - self._time_s), time_s
        age_s = time_s - self._start_s
        if age_s < FIRST_S:
            self._learn_first(driver, np.float32(min(step_s / max(age_s, 1e-6), 1)))
        else:
            self._drift(driver, step_s)
        above = driver.expression > self.expression
        pace = QUANTILE_PER_S * max(1.0, self._young_s / max(age_s, FIRST_S))
        step = np.where(above, QUANTILE, QUANTILE - 1) * pace * step_s
        gap = driver.expression - self.expression
        self.expression += np.where(np.abs(step) < np.abs(gap), step, gap).astype(np.float32)
        self.closed = np.maximum(self.closed, blinks(driver.expression))

    def _learn_first(self, driver: Coefficients, share: np.float32) -> None:
        """The mean of the first second."""
        self._first_pose += share * (driver.pose - self._first_pose)
        self._first_gaze += share * (driver.gaze - self._first_gaze)
        if not self._to_compare:
            self.pose, self.gaze = self._first_pose.copy(), self._first_gaze.copy()

    def _drift(self, driver: Coefficients, step_s: float) -> None:
        if self._to_compare and (np.abs(self._first_pose - self.pose) > FAR).any():
            self.pose, self.gaze = self._first_pose.copy(), self._first_gaze.copy()
        self._to_compare = False
        share = step_s / np.array([USUAL_POSE_S] * 3 + [USUAL_PLACE_S] * 3, np.float32)
        self.pose += np.minimum(share, 1) * (driver.pose - self.pose)
        self.gaze += np.float32(min(step_s / USUAL_GAZE_S, 1)) * (driver.gaze - self.gaze)


def blinks(expression: Floats) -> Floats:
    """(2,) the blink coefficients, left and right."""
    return expression[BLINKS]
