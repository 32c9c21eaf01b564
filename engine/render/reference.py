"""The readable renderer: plain numpy, triangle by triangle. The others must agree with it; nothing else uses it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.render.raster import EDGE_TOLERANCE, Indices, Raster
from engine.values import Floats


class ReferenceRenderer:
    """See ``engine.render.raster.Renderer``."""

    def __init__(self, size: int) -> None:
        self._size = size

    @property
    def size(self) -> int:
        """Width and height of the picture [px]."""
        return self._size

    def rasterise(self, screen: Floats, triangles: Indices) -> Raster:
        """(V, 3) screen vertices, (T, 3) triangles → what is seen."""
        raster = Raster.empty(self._size)
        pixels = screen.astype(np.float64)
        pixels[:, :2] = (pixels[:, :2] + 1) * (self._size / 2) - 0.5  # the centre of pixel i lies at i
        for index, corners in enumerate(pixels[triangles]):
            if np.isfinite(corners).all() and (corners[:, 2] > 0).all():
                _draw(raster, index, corners)
        return raster

    def interpolate(self, raster: Raster, triangles: Indices, attributes: Floats, out: Floats | None = None) -> Floats:
        """(V, C) values at the vertices → (N, N, C) values in the pixels, 0 where empty."""
        if out is None:
            out = np.empty((*raster.triangle.shape, attributes.shape[1]), np.float32)
        out[:] = 0
        drawn = raster.triangle >= 0
        wa, wb = raster.weights[drawn].T[:, :, None]
        a, b, c = attributes[triangles[raster.triangle[drawn]]].transpose(1, 0, 2)
        out[drawn] = wa * a + wb * b + (1 - wa - wb) * c
        return out


def _draw(raster: Raster, index: int, corners: NDArray[np.float64]) -> None:
    """One triangle with (3, 3) corners (x, y in pixels, depth) into the raster, where it is nearest."""
    (xa, ya, _), (xb, yb, _), (xc, yc, _) = corners
    area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
    if area == 0:
        return
    size = raster.triangle.shape[0]
    first = np.maximum(np.ceil(corners[:, :2].min(0)), 0).astype(int)
    last = np.minimum(np.floor(corners[:, :2].max(0)), size - 1).astype(int)
    if (last < first).any():
        return
    y, x = np.mgrid[first[1] : last[1] + 1, first[0] : last[0] + 1]

    wa = (x - xc) * ((yb - yc) * (1 / area)) + (y - yc) * ((xc - xb) * (1 / area))
    wb = (x - xc) * ((yc - ya) * (1 / area)) + (y - yc) * ((xa - xc) * (1 / area))
    wc = 1 - wa - wb
    depth = (wa * corners[0, 2] + wb * corners[1, 2] + wc * corners[2, 2]).astype(np.float32)

    nearest = (np.minimum(np.minimum(wa, wb), wc) >= -EDGE_TOLERANCE) & (depth < raster.depth[y, x])
    y, x = y[nearest], x[nearest]
    raster.triangle[y, x] = index
    raster.weights[y, x] = np.stack([wa[nearest], wb[nearest]], -1)
    raster.depth[y, x] = depth[nearest]
