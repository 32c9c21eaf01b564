"""The fast renderer: compiled loops on one thread, nothing allocated per frame. ``reference.py`` is its readable twin."""

from __future__ import annotations

import numba
import numpy as np

from engine.render.raster import EDGE_TOLERANCE, Indices, Raster
from engine.values import Floats


class CpuRenderer:
    """See ``engine.render.raster.Renderer``. One object serves one thread; its raster is reused by the next call."""

    def __init__(self, size: int) -> None:
        self._raster = Raster.empty(size)

    @property
    def size(self) -> int:
        """Width and height of the picture [px]."""
        return int(self._raster.triangle.shape[0])

    def rasterise(self, screen: Floats, triangles: Indices) -> Raster:
        """(V, 3) screen vertices, (T, 3) triangles → what is seen; valid until the next call."""
        raster = self._raster
        _rasterise(
            np.ascontiguousarray(screen, np.float32), triangles, raster.triangle, raster.weights, raster.depth, EDGE_TOLERANCE
        )
        return raster

    def interpolate(self, raster: Raster, triangles: Indices, attributes: Floats, out: Floats | None = None) -> Floats:
        """(V, C) values at the vertices → (N, N, C) values in the pixels, 0 where empty. Allocates only without ``out``."""
        if out is None:
            out = np.empty((*raster.triangle.shape, attributes.shape[1]), np.float32)
        _interpolate(raster.triangle, raster.weights, triangles, np.ascontiguousarray(attributes, np.float32), out)
        return out


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _rasterise(screen: Floats, triangles: Indices, seen: Indices, weights: Floats, depth: Floats, tolerance: float) -> None:
    size = seen.shape[0]
    seen[:] = -1
    weights[:] = 0.0
    depth[:] = np.inf
    half = size / 2.0
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        za, zb, zc = np.float64(screen[a, 2]), np.float64(screen[b, 2]), np.float64(screen[c, 2])
        if not (za > 0.0 and zb > 0.0 and zc > 0.0):
            continue
        # pixel units: the centre of pixel i lies at i
        xa, ya = (screen[a, 0] + 1.0) * half - 0.5, (screen[a, 1] + 1.0) * half - 0.5
        xb, yb = (screen[b, 0] + 1.0) * half - 0.5, (screen[b, 1] + 1.0) * half - 0.5
        xc, yc = (screen[c, 0] + 1.0) * half - 0.5, (screen[c, 1] + 1.0) * half - 0.5
        area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
        if not (abs(area) > 0.0 and np.isfinite(area) and np.isfinite(za + zb + zc)):
            continue
        x_first, x_last = max(np.ceil(min(xa, xb, xc)), 0.0), min(np.floor(max(xa, xb, xc)), size - 1.0)
        y_first, y_last = max(np.ceil(min(ya, yb, yc)), 0.0), min(np.floor(max(ya, yb, yc)), size - 1.0)
        if x_first > x_last or y_first > y_last:
            continue
        scale = 1.0 / area
        wa_x, wa_y = (yb - yc) * scale, (xc - xb) * scale
        wb_x, wb_y = (yc - ya) * scale, (xa - xc) * scale
        for y in range(int(y_first), int(y_last) + 1):
            wa_row, wb_row = (y - yc) * wa_y, (y - yc) * wb_y
            # the part of the row inside the three edges, a little too long; the tests below decide
            left, right = _span(x_first, x_last, wa_x, wa_row - wa_x * xc)
            left, right = _span(left, right, wb_x, wb_row - wb_x * xc)
            left, right = _span(left, right, -wa_x - wb_x, 1.0 - wa_row - wb_row + (wa_x + wb_x) * xc)
            for x in range(int(np.ceil(left)), int(np.floor(right)) + 1):
                wa = (x - xc) * wa_x + wa_row
                wb = (x - xc) * wb_x + wb_row
                wc = 1.0 - wa - wb
                if wa < -tolerance or wb < -tolerance or wc < -tolerance:
                    continue
                z = np.float32(wa * za + wb * zb + wc * zc)
                if z < depth[y, x]:
                    depth[y, x] = z
                    seen[y, x] = t
                    weights[y, x, 0] = wa
                    weights[y, x, 1] = wb


@numba.njit(inline="always")
def _span(left: float, right: float, slope: float, start: float) -> tuple[float, float]:
    """Cuts left…right to where slope·x + start ≥ 0, with a margin for rounding and the edge's tolerance."""
    if slope > 1e-9:
        return max(left, -start / slope - 1e-3), right
    if slope < -1e-9:
        return left, min(right, -start / slope + 1e-3)
    return left, right


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _interpolate(seen: Indices, weights: Floats, triangles: Indices, attributes: Floats, out: Floats) -> None:
    for y in range(seen.shape[0]):
        for x in range(seen.shape[1]):
            t = seen[y, x]
            if t < 0:
                for k in range(attributes.shape[1]):
                    out[y, x, k] = 0.0
                continue
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            wa, wb = weights[y, x, 0], weights[y, x, 1]
            wc = np.float32(1.0) - wa - wb
            for k in range(attributes.shape[1]):
                out[y, x, k] = wa * attributes[a, k] + wb * attributes[b, k] + wc * attributes[c, k]
