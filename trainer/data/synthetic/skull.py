"""The skull as seen from its middle: how far the skin is in every direction. Hair and hats are shells over it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numba
import numpy as np

from engine.head import HeadModel, Part
from engine.render.raster import Indices
from engine.values import Floats

ROWS, COLUMNS = 56, 81  # of directions: from the crown down, and around
LOWEST_RAD = np.deg2rad(150.0)  # angle from the crown
MIDDLE = np.array([0.0, 0.5, 0.02], np.float32)  # of the skull, head coordinates [dm]
EARS = (5, 9)  # size of the bumps that are taken off, in rows and columns


@dataclass(frozen=True, eq=False)
class Skull:
    """Where the rays from the middle leave the head: triangle (R·C,) and weights (R·C, 3), good for every identity."""

    triangle: Indices
    weights: Floats

    @staticmethod
    def of(head: HeadModel) -> Skull:
        """Casts the rays on the mean head; takes a moment."""
        own = np.nonzero(head.part == Part.SKIN)[0]
        triangle, weights = _cast(directions().reshape(-1, 3), head.mean_shape - MIDDLE, head.triangles[own])
        return Skull(own[triangle].astype(np.int32), weights)

    def radii(self, head: HeadModel, rest: Floats) -> Floats:
        """(ROWS, COLUMNS) distance of the scalp of a head (V, 3) from ``MIDDLE``, without ears and smoothed."""
        corners = rest[head.triangles[self.triangle]]
        points = np.einsum("nci,nc->ni", corners, self.weights)
        radii = np.linalg.norm(points - MIDDLE, axis=1).reshape(ROWS, COLUMNS).astype(np.float32)
        pad = 12
        wide = np.pad(np.pad(radii, ((0, 0), (pad, pad)), mode="reflect"), ((pad, pad), (0, 0)), mode="edge")
        opened = cv2.morphologyEx(wide, cv2.MORPH_OPEN, np.ones(EARS, np.uint8))
        smooth = cv2.GaussianBlur(opened, (0, 0), 1.5)[pad:-pad, pad:-pad]
        smooth[0] = smooth[0].mean()
        return np.asarray(smooth, np.float32)


def azimuths() -> Floats:
    """(COLUMNS,) −π…π, both ends the back: 0 is the front, positive toward the person's left."""
    return np.linspace(-np.pi, np.pi, COLUMNS, dtype=np.float32)


def polar() -> Floats:
    """(ROWS,) angles from the crown."""
    return np.linspace(0.0, LOWEST_RAD, ROWS, dtype=np.float32)


def directions() -> Floats:
    """(ROWS, COLUMNS, 3) unit vectors."""
    angle, around = np.meshgrid(polar(), azimuths(), indexing="ij")
    return np.asarray(np.stack([np.sin(angle) * np.sin(around), np.cos(angle), np.sin(angle) * np.cos(around)], -1), np.float32)


@numba.njit(cache=True, error_model="numpy")
def _cast(rays, vertices, triangles):  # type: ignore[no-untyped-def]
    """The outermost triangle and its weights on each ray from the origin (triple products, as Möller and Trumbore 1997)."""
    best = np.zeros(len(rays), np.int64)
    weights = np.zeros((len(rays), 3), np.float32)
    far = np.zeros(len(rays))
    for t in range(len(triangles)):
        a, b, c = vertices[triangles[t, 0]], vertices[triangles[t, 1]], vertices[triangles[t, 2]]
        p, q, s = np.cross(b, c), np.cross(c, a), np.cross(a, b)
        volume = a[0] * p[0] + a[1] * p[1] + a[2] * p[2]
        for r in range(len(rays)):
            x, y, z = rays[r, 0], rays[r, 1], rays[r, 2]
            wa = x * p[0] + y * p[1] + z * p[2]
            wb = x * q[0] + y * q[1] + z * q[2]
            wc = x * s[0] + y * s[1] + z * s[2]
            total = wa + wb + wc
            if abs(total) < 1e-12 or min(wa / total, wb / total, wc / total) < -1e-6:
                continue
            distance = volume / total
            if distance > far[r]:
                far[r] = distance
                best[r] = t
                weights[r, 0], weights[r, 1], weights[r, 2] = wa / total, wb / total, wc / total
    return best, weights
