"""Drawing what further photographs show into a picture, in one compiled pass. ``blend_reference`` is its readable twin."""

from __future__ import annotations

import numba
import numpy as np

from engine.generator.compose_fast import ACROSS, AFTER, BEFORE, DOWN, PLACES, STEPS, WIDER
from engine.generator.cubic import sample_cubic
from engine.generator.upsampling import POINTS, upsampled
from engine.render.raster import Indices
from engine.values import Floats, Picture

LEAST_WORTH = np.float32(1 / 128)  # of a photograph in a pixel, to be drawn
RENDERED = np.float32(0.3)  # worth of the rendered head, against a photograph's
FLOOR = np.float32(1e-3)  # of the first photograph's worth, which is never nothing
VALUES = 3  # of a vertex in a photograph: place u, v [crop units], worth 0…1
UNKNOWN, NOTHING, DRAWN = 0, 1, 2  # what is known of a triangle
ONE, HALF, FULL = np.float32(1), np.float32(0.5), np.float32(255)


def packed(picture: Picture) -> Picture:
    """(S, S, 3) as ``Blender`` reads it: (2W·2W·4,), ``upsampled``, four bytes a point, the border continued."""
    beside = (BEFORE * POINTS, AFTER * POINTS)
    return np.pad(upsampled(picture), (beside, beside, (0, 1)), mode="edge").reshape(-1)


class Blender:
    """Draws into pictures of one mesh, of which the first ``heads`` triangles (T, 3) are the head's. Serves one thread."""

    def __init__(self, triangles: Indices, heads: int, most: int) -> None:
        """``most``: how many photographs are drawn at once."""
        self._triangles = np.ascontiguousarray(triangles[:heads], np.int32)
        self._planes = np.empty((heads, 2 + 3 * (1 + VALUES * most)), np.float32)
        self._state = np.empty(heads, np.uint8)
        self._sum = np.empty(3, np.float32)

    def blend(
        self,
        picture: Picture,
        raster: tuple[Indices, Floats],
        values: Floats,
        photographs: Picture,
        drawn: Indices,
        render_weight: Floats,
        rows: tuple[int, int],
    ) -> None:
        """Changes the picture P (S, S, 3) within ``rows``: P + Σ aᵢ (Cᵢ − P) / (a₀ + Σ aᵢ), of each pixel of the head.

        Cᵢ is photograph i, bicubically sampled where it shows the pixel's surface; aᵢ its worth there; a₀ that of P, less
        where P is the rendered head, ``render_weight`` (S, S). values (V, 1 + 3 N): a₀, then uᵢ, vᵢ, aᵢ of each vertex, for the N
        numbers ``drawn`` of the photographs (M, 2W·2W·4), ``packed``. ``raster``: ``engine.warp.prior.PriorRasteriser.raster``.
        """
        self._state[:] = UNKNOWN
        _blend(
            picture, *raster, self._triangles, values, photographs, drawn, ACROSS, DOWN, render_weight, *rows,
            self._planes, self._state, self._sum,
        )  # fmt: skip


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _blend(  # type: ignore[no-untyped-def]
    picture, seen, edges, triangles, values, photographs, drawn, across, down, render_weight, first, last, planes, state, total
):  # fmt: skip
    size, heads, count = picture.shape[0], triangles.shape[0], drawn.shape[0]
    half, wide = np.float32(size) * HALF, np.uintp((size + WIDER) * POINTS)
    low, high = np.float32(PLACES * (BEFORE - 1)), np.float32(PLACES * (BEFORE + size))
    for y in range(first, last):
        for x in range(size):
            number = seen[y, x]
            if number < 0 or number >= heads or state[number] == NOTHING:
                continue
            plane = planes[number]
            if state[number] == UNKNOWN:
                state[number] = _find_planes(triangles[number], edges[number], values, plane)
                if state[number] == NOTHING:
                    continue
            dx, dy = np.float32(x) - plane[0], np.float32(y) - plane[1]
            worth = max(plane[2] + dx * plane[3] + dy * plane[4], FLOOR) * (ONE - (ONE - RENDERED) * render_weight[y, x])
            total[:] = 0
            for i in range(count):
                at = 5 + 9 * i
                own = plane[at + 6] + dx * plane[at + 7] + dy * plane[at + 8]
                if not own > LEAST_WORTH:
                    continue
                u = (plane[at] + dx * plane[at + 1] + dy * plane[at + 2] + ONE) * half - HALF + np.float32(BEFORE)
                v = (plane[at + 3] + dx * plane[at + 4] + dy * plane[at + 5] + ONE) * half - HALF + np.float32(BEFORE)
                u, v = u * np.float32(PLACES) + HALF, v * np.float32(PLACES) + HALF
                u, v = u if u > low else low, v if v > low else low  # in this form NaN becomes ``low``
                column, row = np.int32(min(u, high)), np.int32(min(v, high))
                corner = (np.uintp(row // STEPS - 1) * wide + np.uintp(column // STEPS - 1)) * np.uintp(4)
                red, green, blue = sample_cubic(
                    photographs[drawn[i]],
                    corner,
                    wide * np.uintp(4),
                    across,
                    np.uintp(column % STEPS),
                    down,
                    np.uintp(row % STEPS),
                )
                worth += own
                total[0] += own * (red - np.float32(picture[y, x, 0]))
                total[1] += own * (green - np.float32(picture[y, x, 1]))
                total[2] += own * (blue - np.float32(picture[y, x, 2]))
            for k in range(3):
                level = np.float32(picture[y, x, k]) + total[k] / worth + HALF
                picture[y, x, k] = np.uint8(min(max(level, np.float32(0)), FULL))


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _find_planes(corners, edge, values, plane):  # type: ignore[no-untyped-def]
    """The values over a triangle: its last corner's place, then of each its value there and its rise along x and y [per pixel].
    What is to be done with the triangle."""
    a, b, c = corners[0], corners[1], corners[2]
    most = np.float32(0)
    for k in range(3, values.shape[1], 3):
        most = max(most, values[a, k], values[b, k], values[c, k])
    if not most > LEAST_WORTH:
        return NOTHING
    plane[0], plane[1] = edge[0], edge[1]
    for k in range(values.shape[1]):
        at_c = values[c, k]
        from_a, from_b = values[a, k] - at_c, values[b, k] - at_c
        plane[2 + 3 * k] = at_c
        plane[3 + 3 * k] = from_a * edge[2] + from_b * edge[4]
        plane[4 + 3 * k] = from_a * edge[3] + from_b * edge[5]
    return DRAWN
