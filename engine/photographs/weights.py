"""How much each photograph of a person counts for a motion: as far as the motion goes from the face at rest toward it.

Half a smile is half of the photograph at rest and half of the smiling one, not whichever photograph happens to lie nearest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.ramps import smooth_step
from engine.values import Coefficients, Floats

TURN_DM, GAZE_DM = 0.03, 0.03  # movements of the surface that count as much as a turn by a radian, and as a gaze aside by τ = 1
BESIDE_DM = 0.006  # a motion that passes by a photograph's so near is like it
SHARPNESS = 2.0  # with this power of the squared distance at which the motion passes by, photographs count less
DRAWN_FROM = (0.2, 0.5)  # share, of the greatest of a further photograph, from which on one is drawn, and fully
_TINY = 1e-12


@dataclass(frozen=True)
class PhotographWeights:
    """Weights of 1 + N photographs, the first of which is the face at rest.

    metric (3, 64, K): ``regions.movement_metric`` · rest: z of the first · ways (3, N, K + 4): where the others lie from
    there [dm], by expression, by the gaze of the region's own eye, by pitch and yaw
    """

    metric: Floats
    rest: Coefficients
    ways: Floats

    @classmethod
    def of(cls, metric: Floats, photographs: Sequence[Coefficients]) -> PhotographWeights:
        """For the z of the photographs."""
        rest, *others = photographs
        return cls(metric, rest, np.stack([_way(metric, rest, z) for z in others], 1))

    def shape(self, expression: Floats, gaze: Floats) -> Floats:
        """(3, 1 + N) shares of each region, which sum to 1, by expression and gaze alone. Those of the first photograph's own
        expression are exactly 1 for it and 0 for the others."""
        asked = replace(self.rest, expression=expression, gaze=gaze)
        return _shares(_way(self.metric, self.rest, asked)[:, :-2], self.ways[..., :-2])

    def picture(self, z: Coefficients) -> Floats:
        """(3, 1 + N) the same where the turn counts as well. Of the further photographs those that count little beside the
        greatest are left out, gradually: most motions need two."""
        shares = _shares(_way(self.metric, self.rest, z), self.ways)
        further = shares[:, 1:]
        before = further.sum(1, keepdims=True)
        further *= smooth_step(further / np.maximum(further.max(1, keepdims=True), _TINY), *DRAWN_FROM)
        further *= before / np.maximum(further.sum(1, keepdims=True), _TINY)
        return np.asarray(shares, np.float32)


def _way(metric: Floats, rest: Coefficients, z: Coefficients) -> Floats:
    """(3, K + 4) from the face at rest to z [dm]."""
    moved = (z.expression - rest.expression) @ metric
    left, right = GAZE_DM * (z.gaze - rest.gaze).reshape(2, 2)
    looked = np.stack([np.zeros(2, np.float32), right, left])
    turned = np.tile(TURN_DM * (z.pose[:2] - rest.pose[:2]), (3, 1))
    return np.concatenate([moved, looked, turned], 1).astype(np.float64)


def _shares(way: Floats, ways: Floats) -> Floats:
    """(3, 1 + N) from the way that is wanted, (3, K), and those to the photographs, (3, N, K).

    Each photograph is reached by a share t of the way to it, at a distance r beside it; those with small r count most, and all of
    them as far as they explain the way that is wanted.
    """
    along = (ways * way[:, None]).sum(2)
    reached = np.clip(along / np.maximum((ways**2).sum(2), _TINY), 0, 1)
    beside = ((way[:, None] - reached[..., None] * ways) ** 2).sum(2)
    explained = np.clip(1 - beside / np.maximum((way**2).sum(1), _TINY)[:, None], 0, 1)
    liked = reached * (beside + BESIDE_DM**2) ** -SHARPNESS
    liked /= np.maximum(liked.sum(1, keepdims=True), _TINY)
    further = liked * reached * explained
    return np.concatenate([1 - further.sum(1, keepdims=True), further], 1)
