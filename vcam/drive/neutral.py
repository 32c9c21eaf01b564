"""The driver at rest, learned while driving: motion is always relative to it, so nobody has to hold still for a calibration.

Pose and gaze: the mean of the first second, then a slow drift toward what is usual, so that a changed seat is forgotten.
Expression: for each channel a low quantile of what was seen, because faces rest near the low end of every blend shape; learned
within the first half minute, then so slowly that a smile that is held for a minute loses a tenth.
"""

from __future__ import annotations

import numpy as np

from engine.values import BLINKS, Coefficients, Floats

FIRST_S = 1.0
USUAL_POSE_S, USUAL_PLACE_S, USUAL_GAZE_S = 180.0, 45.0, 60.0  # time constants of the drift
QUANTILE, QUANTILE_PER_S = 0.15, 0.012
YOUNG_S = 20.0  # younger than this, the quantile moves faster by as much
FIRST_AT_MOST = 0.15  # a meeting may begin with a laugh: the first frame is not taken for rest beyond this score
BLINK_CLOSED = 0.6  # blink score of closed eyes before any were seen (mediapipe gives 0.5–0.8)


class Neutral:
    """Learns from every smoothed frame. ``pose`` (6,), ``gaze`` (4,), ``expression`` (64,), ``closed`` (2,) left, right."""

    def __init__(self, first: Coefficients, time_s: float) -> None:
        self._start_s = self._time_s = time_s
        self.pose, self.gaze = first.pose.copy(), first.gaze.copy()
        self.expression = np.minimum(first.expression, FIRST_AT_MOST)
        self.closed = np.full(2, BLINK_CLOSED, np.float32)

    def learn(self, driver: Coefficients, time_s: float) -> None:
        """Takes in the driver at ``time_s``."""
        step_s, self._time_s = max(0.0, time_s - self._time_s), time_s
        age_s = time_s - self._start_s
        if age_s < FIRST_S:
            share = np.full(6, step_s / max(age_s, 1e-6), np.float32)
            gaze_share = share[0]
        else:
            share = step_s / np.array([USUAL_POSE_S] * 3 + [USUAL_PLACE_S] * 3, np.float32)
            gaze_share = np.float32(step_s / USUAL_GAZE_S)
        self.pose += np.minimum(share, 1) * (driver.pose - self.pose)
        self.gaze += min(gaze_share, 1) * (driver.gaze - self.gaze)
        above = driver.expression > self.expression
        pace = QUANTILE_PER_S * max(1.0, YOUNG_S / max(age_s, FIRST_S))
        step = np.where(above, QUANTILE, QUANTILE - 1) * pace * step_s
        gap = driver.expression - self.expression
        self.expression += np.where(np.abs(step) < np.abs(gap), step, gap).astype(np.float32)
        self.closed = np.maximum(self.closed, blinks(driver.expression))


def blinks(expression: Floats) -> Floats:
    """(2,) the blink coefficients, left and right."""
    return expression[BLINKS]
