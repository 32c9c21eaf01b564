"""What every renderer takes and returns.

Screen: crop coordinates x, y in −1…1 and depth (larger = farther), see ``engine.conventions``; a pixel is covered by a
triangle when its centre lies in it or on its edge (inclusive, so meshes have no cracks). The nearest triangle wins, the
first one among equals. Both sides of a triangle are drawn. Weights are affine in the picture: at the distance of a face
the difference from perspective-correct weights is far below a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.values import Floats

Indices = NDArray[np.int32]

# How far outside its edges a triangle still counts, in barycentric units: covers rounding, not cracks of a mesh.
EDGE_TOLERANCE = 1e-7


@dataclass(frozen=True)
class Raster:
    """Which triangle is seen in every pixel.

    triangle (N, N) int32      index of the triangle, −1 = empty
    weights  (N, N, 2) float32 barycentric weights of its first two vertices; the third is 1 minus their sum; 0 where empty
    depth    (N, N) float32    distance from the camera [the unit of the screen's third column], +inf where empty
    """

    triangle: Indices
    weights: Floats
    depth: Floats

    @staticmethod
    def empty(size: int) -> Raster:
        """A raster of (size, size) pixels without anything in it."""
        return Raster(
            np.full((size, size), -1, np.int32),
            np.zeros((size, size, 2), np.float32),
            np.full((size, size), np.inf, np.float32),
        )

    def copy(self) -> Raster:
        """A raster of its own, which the next call of a renderer does not overwrite."""
        return Raster(self.triangle.copy(), self.weights.copy(), self.depth.copy())


class Renderer(Protocol):
    """Draws meshes into square pictures of ``size`` pixels."""

    @property
    def size(self) -> int:
        """Width and height of the picture [px]."""

    def rasterise(self, screen: Floats, triangles: Indices) -> Raster:
        """(V, 3) screen vertices, (T, 3) triangles → what is seen.

        Triangles without area, with a vertex that is not finite, or with one at or behind the camera (depth ≤ 0) are left
        out. The result may be overwritten by the next call: ``copy()`` it to keep it.
        """

    def interpolate(self, raster: Raster, triangles: Indices, attributes: Floats, out: Floats | None = None) -> Floats:
        """(V, C) values at the vertices → (N, N, C) values in the pixels, 0 where empty. Written into ``out`` when given."""
