"""A picture turned, enlarged and shifted, and what becomes of z.

A turn about the optical axis is exact. Shifts are as a camera that pans, exact to a hundredth of the change; scales as one that
steps nearer: the nose, a decimetre before the head's origin, grows by a tenth of the change too much.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.conventions import CAMERA_DISTANCE_DM, FOCAL
from engine.values import Coefficients, Floats, Picture


@dataclass(frozen=True)
class Similarity:
    """new = matrix · old + shift, in crop coordinates: turned anticlockwise [rad], enlarged about the centre, then shifted."""

    turn_rad: float
    scale: float
    shift: tuple[float, float]

    @property
    def matrix(self) -> Floats:
        """(2, 2); crop coordinates have y down."""
        c, s = np.cos(self.turn_rad), np.sin(self.turn_rad)
        return np.asarray(self.scale * np.array([[c, s], [-s, c]]), np.float32)

    def points(self, old: Floats) -> Floats:
        """(N, 2) crop coordinates → where they come to lie."""
        return np.asarray(old @ self.matrix.T + np.asarray(self.shift), np.float32)

    def picture(self, old: Picture, size_px: int) -> Picture:
        """(S, S, 3) resampled to ``size_px``, edges repeated; bicubic, for a bilinear one would be a softer photograph."""
        return self._resampled(old, size_px, cv2.INTER_CUBIC)

    def plane(self, old: NDArray[Any], size_px: int) -> NDArray[Any]:
        """(S, S) or (S, S, C), uint8 or float32: a mask or a flow, likewise; bilinear."""
        return self._resampled(old, size_px, cv2.INTER_LINEAR)

    def _resampled(self, old: NDArray[Any], size_px: int, interpolation: int) -> NDArray[Any]:
        side, new = old.shape[0], size_px
        # pixel i of N lies at (2i + 1)/N − 1
        offset = (self.matrix @ np.full(2, 1 / side - 1) + np.asarray(self.shift) + 1) * new / 2 - 0.5
        warp = np.concatenate([self.matrix * (new / side), offset[:, None]], 1)
        moved = cv2.warpAffine(old, warp, (new, new), flags=interpolation, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, old.dtype)

    def z(self, old: Coefficients) -> Coefficients:
        """The coefficients of the moved picture."""
        return replace(old, pose=self.pose(old.pose), illumination=_turned_light(old.illumination, self.turn_rad))

    def pose(self, old: Floats) -> Floats:
        """(6,) p of the moved picture: the head keeps its look along the ray on which it is seen."""
        c, s = np.cos(self.turn_rad), np.sin(self.turn_rad)
        depth = CAMERA_DISTANCE_DM - old[5]
        x, y = c * old[3] - s * old[4], s * old[3] + c * old[4]
        new_depth = depth / self.scale
        new_x, new_y = x + self.shift[0] * new_depth / FOCAL, y - self.shift[1] * new_depth / FOCAL
        yaw = old[1] - (new_x / new_depth - x / depth)
        pitch = old[0] + (new_y / new_depth - y / depth)
        return np.array([pitch, yaw, old[2] + self.turn_rad, new_x, new_y, CAMERA_DISTANCE_DM - new_depth], np.float32)


def _turned_light(illumination: Floats, turn_rad: float) -> Floats:
    """γ of a light turned with the picture: the harmonics mix in pairs (y, x), (yz, xz), (xy, x²−y²)."""
    old = illumination.reshape(9, 3)
    new = old.copy()
    for first, second, angle in ((1, 3, turn_rad), (5, 7, turn_rad), (4, 8, 2 * turn_rad)):
        c, s = np.cos(angle), np.sin(angle)
        new[first], new[second] = c * old[first] + s * old[second], c * old[second] - s * old[first]
    return new.reshape(-1)
