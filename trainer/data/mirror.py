"""Left for right: which landmark and which expression takes the place of which, and z of a mirrored picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.head import HeadModel
from engine.regress.landmarks import LandmarkBasis
from engine.values import EXPRESSION, EXPRESSION_NAMES, Coefficients, Floats

HARMONICS_OF_X = (3, 4, 7)  # x, xy, xz change their sign in a mirror; see engine.render.lighting
OF_POSE = np.array([1, -1, -1, -1, 1, 1], np.float32)  # signs of p
OF_PLACE = np.array([-1, 1], np.float32)  # signs of a point or a flow


@dataclass(frozen=True)
class Mirror:
    """Partners in a mirror; (478,) landmarks and (64,) expressions."""

    landmarks: NDArray[np.int64]
    expression: NDArray[np.int64]

    def points(self, points: Floats) -> Floats:
        """(478, 2) crop coordinates of the mirrored picture."""
        return points[self.landmarks] * OF_PLACE

    def z(self, z: Coefficients) -> Coefficients:
        """z of the mirrored picture. The bases of identity and texture know no mirror: α and δ stay as they are."""
        light = z.illumination.reshape(9, 3).copy()
        light[list(HARMONICS_OF_X)] *= -1
        gaze = z.gaze[[2, 3, 0, 1]] * np.tile(OF_PLACE, 2)
        return Coefficients(z.identity, z.expression[self.expression], z.texture, light.reshape(-1), z.pose * OF_POSE, gaze)


@lru_cache(maxsize=2)
def mirror_of(head: HeadModel) -> Mirror:
    """Found on the mean head."""
    points = LandmarkBasis.of(head).mean
    flipped = points * np.array([-1, 1, 1], np.float32)
    nearest = ((points[:, None] - flipped[None]) ** 2).sum(-1).argmin(0)
    order = [EXPRESSION_NAMES.index(_other_side(name)) for name in EXPRESSION_NAMES]
    return Mirror(nearest, np.array([*order, *range(len(order), EXPRESSION)]))


def _other_side(name: str) -> str:
    if name.endswith("Left"):
        return name[:-4] + "Right"
    return name[:-5] + "Left" if name.endswith("Right") else name
