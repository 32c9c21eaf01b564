"""How much each photograph of a person counts for a motion: the nearer its expression, the more; smooth in the motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.ramps import smooth_step
from engine.values import Coefficients, Floats

TURN_DM, GAZE_DM = 0.03, 0.03  # movements of the surface that count as much as a turn by a radian, and as a gaze aside by τ = 1
SHARPNESS = 2.0  # weights fall with this power of the squared distance
DRAWN_FROM = (0.15, 0.4)  # share, of the greatest of a further photograph, from which on one is drawn, and fully
_TINY_DM2 = 1e-10


@dataclass(frozen=True)
class PhotographWeights:
    """Weights of N photographs, the first of which is the face at rest.

    metric (3, 64, K): ``regions.movement_metric`` · places (3, N, K) the photographs' β in it · turns (N, 2) pitch, yaw [rad] ·
    gaze (3, N, 2) of the region's own eye, 0 where it has none
    """

    metric: Floats
    places: Floats
    turns: Floats
    gaze: Floats

    @classmethod
    def of(cls, metric: Floats, photographs: Sequence[Coefficients]) -> PhotographWeights:
        """For the z of the photographs."""
        beta = np.stack([z.expression for z in photographs])
        gaze = np.stack([eyes(z.gaze) for z in photographs], 1)
        return cls(metric, beta @ metric, np.stack([z.pose[:2] for z in photographs]), gaze)

    def shape(self, expression: Floats, gaze: Floats) -> Floats:
        """(3, N) shares of each region, which sum to 1, by expression and gaze alone. Those of the first photograph's own
        expression are exactly 1 for it and 0 for the others."""
        return _shares(self._apart(expression, gaze))

    def picture(self, z: Coefficients) -> Floats:
        """(3, N) the same where the turn counts as well. Of the further photographs those that count little beside the greatest
        are left out, gradually: most motions need two."""
        turned = TURN_DM**2 * ((z.pose[:2] - self.turns) ** 2).sum(1)
        shares = _shares(self._apart(z.expression, z.gaze) + turned)
        further = shares[:, 1:]
        further *= smooth_step(further / further.max(1, keepdims=True), *DRAWN_FROM)
        return np.asarray(shares / shares.sum(1, keepdims=True), np.float32)

    def _apart(self, expression: Floats, gaze: Floats) -> Floats:
        """(3, N) squared distances [dm²]."""
        moved = ((np.asarray(expression @ self.metric)[:, None] - self.places) ** 2).sum(2)
        looked = ((eyes(gaze)[:, None] - self.gaze) ** 2).sum(2)
        return np.asarray(moved + GAZE_DM**2 * looked, np.float64)


def eyes(gaze: Floats) -> Floats:
    """(4,) τ → (3, 2) by region."""
    left, right = gaze.reshape(2, 2)
    return np.stack([np.zeros(2, np.float32), right, left])


def _shares(apart: Floats) -> Floats:
    """Inverse-distance weights (Shepard 1968)."""
    nearness = (apart + _TINY_DM2) ** -SHARPNESS
    return np.asarray(nearness / nearness.sum(1, keepdims=True), np.float64)
