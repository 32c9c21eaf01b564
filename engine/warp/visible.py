"""Which triangle is nearest in every pixel: the rasteriser of the moving portrait, in float32, eight pixels at a time.

It keeps the rules of ``engine.render.raster`` but for the width of an edge, ``EDGE_PX``: where a pixel's centre lies on one, it
may name the neighbour. ``engine.render.reference`` is its readable twin.
"""

from __future__ import annotations

import numba
import numpy as np

from engine.render.raster import Indices
from engine.values import Floats
from engine.warp.lanes import LANES, keep_nearest

EDGE_PX = np.float32(1e-3)  # how far outside its edges a triangle still counts: covers rounding
EDGES = 6  # numbers kept of a triangle: its last corner x, y [px], then how the weights of the first two rise along x, y, x, y
FAR, ONE, HALF = np.float32(np.inf), np.float32(1), np.float32(0.5)


def empty_rows(size: int) -> tuple[Floats, Indices]:
    """Depth and index of the nearest triangle, (size, size + LANES); what lies beyond ``size`` is scratch."""
    return np.empty((size, size + LANES), np.float32), np.empty((size, size + LANES), np.int32)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def find_visible(screen: Floats, triangles: Indices, depth: Floats, seen: Indices, edges: Floats) -> None:
    """(V, 3) screen vertices, (T, 3) triangles → depth and seen (``empty_rows``; −1 where nothing is), edges (T, EDGES)."""
    depth[:] = FAR
    seen[:] = -1
    size, wide = depth.shape[0], np.uintp(depth.shape[1])
    flat_depth, flat_seen = depth.reshape(-1), seen.reshape(-1)
    box = np.empty(4, np.int32)
    for t in range(triangles.shape[0]):
        if _set_up(screen, triangles[t], size, edges[t], box):
            _draw(np.int32(t), box, screen, triangles[t], edges[t], flat_depth, flat_seen, wide)


@numba.njit(inline="always", error_model="numpy")
def _set_up(screen, corners, size, edge, box):  # type: ignore[no-untyped-def]
    """Fills ``edge``, and ``box`` with the first and last x and y that may be covered; False when there is none."""
    a, b, c = corners[0], corners[1], corners[2]
    za, zb, zc = screen[a, 2], screen[b, 2], screen[c, 2]
    if not (min(za, zb, zc) > 0 and za + zb + zc < FAR):
        return False
    half, last = np.float32(size) * HALF, np.float32(size - 1)
    # pixel units: the centre of pixel i lies at i
    xa, ya = (screen[a, 0] + ONE) * half - HALF, (screen[a, 1] + ONE) * half - HALF
    xb, yb = (screen[b, 0] + ONE) * half - HALF, (screen[b, 1] + ONE) * half - HALF
    xc, yc = (screen[c, 0] + ONE) * half - HALF, (screen[c, 1] + ONE) * half - HALF
    left, right = np.ceil(max(min(xa, xb, xc) - EDGE_PX, 0)), np.floor(min(max(xa, xb, xc) + EDGE_PX, last))
    top, bottom = np.ceil(max(min(ya, yb, yc) - EDGE_PX, 0)), np.floor(min(max(ya, yb, yc) + EDGE_PX, last))
    area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
    if not (left <= right and top <= bottom and abs(area) > 0 and abs(area) < FAR):
        return False
    scale = ONE / area
    edge[0], edge[1] = xc, yc
    edge[2], edge[3] = (yb - yc) * scale, (xc - xb) * scale
    edge[4], edge[5] = (yc - ya) * scale, (xa - xc) * scale
    box[0], box[1], box[2], box[3] = np.int32(left), np.int32(right), np.int32(top), np.int32(bottom)
    return True


@numba.njit(inline="always", error_model="numpy")
def _draw(number, box, screen, corners, edge, depth, seen, wide):  # type: ignore[no-untyped-def]
    """One triangle where it is nearest."""
    xc, yc, ax, ay, bx, by = edge[0], edge[1], edge[2], edge[3], edge[4], edge[5]
    least_a, least_b = -EDGE_PX * max(abs(ax), abs(ay)), -EDGE_PX * max(abs(bx), abs(by))
    most = ONE + EDGE_PX * max(abs(ax + bx), abs(ay + by))
    zc = screen[corners[2], 2]
    za, zb = screen[corners[0], 2] - zc, screen[corners[1], 2] - zc
    zx, zy = ax * za + bx * zb, ay * za + by * zb
    left, right, top, bottom = box[0], box[1], box[2], box[3]
    dx, dy = np.float32(left) - xc, np.float32(top) - yc
    z0, wa0, wb0 = zc + dx * zx + dy * zy, dx * ax + dy * ay, dx * bx + dy * by
    at, down, more = np.uintp(top) * wide + np.uintp(left), np.float32(0), (right - left) // LANES
    for _ in range(bottom - top + 1):
        z, wa, wb = z0 + down * zy, wa0 + down * ay, wb0 + down * by
        keep_nearest(depth, seen, at, number, z, zx, wa, ax, wb, bx, least_a, least_b, most)
        for strip in range(1, more + 1):
            on = np.float32(LANES * strip)
            keep_nearest(
                depth, seen, at + np.uintp(LANES * strip), number, z + on * zx, zx, wa + on * ax, ax, wb + on * bx, bx,
                least_a, least_b, most,
            )  # fmt: skip
        at, down = at + wide, down + ONE
