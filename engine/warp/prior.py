"""The prior: what geometry knows of a driven picture, pixel by pixel. ``prior_reference`` is its readable twin."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numba
import numpy as np

from engine.components import COMPONENTS
from engine.render.raster import Indices
from engine.values import Floats, Picture
from engine.warp.visible import EDGES, HALF, ONE, empty_rows, find_visible

ATTRIBUTES = 6  # of a vertex: place in the photograph u, v [crop units], how far it is unseen there 0…1, colour r, g, b 0…255
SMOOTHING = (3, 3)  # of I_3D [px], with the weights 1 2 1: the tent filter of a renderer that takes one sample a pixel


@dataclass(frozen=True)
class Prior:
    """What geometry knows of a driven picture; arrays are reused by the next call.

    flow          (N, N, 2)        backward flow into the photograph, ``engine.conventions``
    render        (N, N, 3) uint8  I_3D of the head, 0 elsewhere; smoothed, for a pixel shows one triangle: teeth would be saws
    render_weight (N, N)           0…1, where the photograph has nothing to show and I_3D stands in
    coverage      (N, N)           1 where the head mesh is, else 0
    components    (3, 2)           the middles of mouth, right and left eye, crop coordinates
    trust         (3,)             0…1, how far a refiner's corrections of each are to be made; none of an eye whose lid is drawn
    """

    flow: Floats
    render: Picture
    render_weight: Floats
    coverage: Floats
    components: Floats
    trust: Floats

    @staticmethod
    def empty(size: int) -> Prior:
        """Arrays for pictures of ``size`` pixels, all zero."""
        plane, rgb = (size, size), (size, size, 3)
        return Prior(
            np.zeros((size, size, 2), np.float32),
            np.zeros(rgb, np.uint8),
            np.zeros(plane, np.float32),
            np.zeros(plane, np.float32),
            np.zeros((len(COMPONENTS), 2), np.float32),
            np.ones(len(COMPONENTS), np.float32),
        )


class PriorRasteriser:
    """Draws priors of one mesh, (T, 3) triangles of which the first ``heads`` are the head's; allocates nothing per frame."""

    def __init__(self, triangles: Indices, heads: int, size: int) -> None:
        self.triangles, self.heads = np.ascontiguousarray(triangles, np.int32), heads
        self._depth, self._seen = empty_rows(size)
        self._edges = np.empty((len(triangles), EDGES), np.float32)
        self._planes = np.empty((len(triangles), 2 + 3 * ATTRIBUTES), np.float32)
        self._known = np.empty(len(triangles), np.bool_)
        self._weight, self._render = np.empty((size, size), np.float32), np.empty((size, size, 3), np.uint8)
        self._prior = Prior.empty(size)

    def draw(self, screen: Floats, attributes: Floats) -> Prior:
        """(V, 3) vertices in crop coordinates and depth, (V, 6) ``ATTRIBUTES`` → the prior, overwritten by the next call; its
        components are not known here and left alone."""
        out = self._prior
        find_visible(screen, self.triangles, self._depth, self._seen, self._edges)
        self._known[:] = False
        top, bottom = _paint(
            self._seen, self._edges, self.triangles, self.heads, attributes, self._planes, self._known,
            self._weight, out.flow, self._render, out.coverage,
        )  # fmt: skip
        cv2.GaussianBlur(self._render, SMOOTHING, 0, dst=out.render)
        out.render_weight[:] = 0
        if bottom > top:  # somewhere in these rows I_3D is wanted
            rows = slice(max(top - 2, 0), min(bottom + 2, len(self._weight)))
            cv2.blur(self._weight[rows], (3, 3), dst=out.render_weight[rows])
            _continue_photograph(self._weight[rows], out.render_weight[rows], out.flow[rows])
        return out

    @property
    def raster(self) -> tuple[Indices, Floats]:
        """The last picture's: (N, N + LANES) index of the triangle that each pixel shows, and (T, EDGES) of each triangle that is
        seen how the shares of its corners lie in the picture; see ``engine.warp.visible``."""
        return self._seen, self._edges

    def seen(self) -> Indices:
        """(K,) the triangles that the last picture shows."""
        shown = np.unique(self._seen[:, : len(self._weight)])
        return shown[shown >= 0]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _paint(seen, edges, triangles, heads, attributes, planes, known, weight, flow, render, coverage):  # type: ignore[no-untyped-def]
    """Fills every pixel from the triangle that it shows; gives the first row with weight, and the one after the last."""
    size, top, bottom = seen.shape[0], seen.shape[0], 0
    for row in range(size):
        y = np.uintp(row)  # unsigned, for signed indices are slower: they might count from the end
        weight[y] = 0
        coverage[y] = 0
        render[y] = 0
        for column in range(size):
            x = np.uintp(column)
            number = seen[y, x]
            if number < 0:  # cannot happen: the surround covers the picture
                flow[y, x, 0] = flow[y, x, 1] = 0
                continue
            t = np.uintp(number)
            if not known[t]:
                known[t] = True
                _find_planes(triangles[t], edges[t], attributes, ATTRIBUTES if number < heads else 2, size, planes[t])
            dx, dy = np.float32(column) - planes[t, 0], np.float32(row) - planes[t, 1]
            flow[y, x, 0] = planes[t, 2] + dx * planes[t, 3] + dy * planes[t, 4]
            flow[y, x, 1] = planes[t, 5] + dx * planes[t, 6] + dy * planes[t, 7]
            if number < heads:
                coverage[y, x] = ONE
                weight[y, x] = planes[t, 8] + dx * planes[t, 9] + dy * planes[t, 10]
                if weight[y, x] > 0:
                    top, bottom = min(top, row), row + 1
                render[y, x, 0] = _level(planes[t, 11] + dx * planes[t, 12] + dy * planes[t, 13])
                render[y, x, 1] = _level(planes[t, 14] + dx * planes[t, 15] + dy * planes[t, 16])
                render[y, x, 2] = _level(planes[t, 17] + dx * planes[t, 18] + dy * planes[t, 19])
    return top, bottom


@numba.njit(inline="always")
def _level(value):  # type: ignore[no-untyped-def]
    return np.uint8(np.int32(min(max(value + HALF, np.float32(0)), np.float32(255))))


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _find_planes(corners, edge, attributes, count, size, plane):  # type: ignore[no-untyped-def]
    """The first ``count`` attributes over a triangle: its last corner's place, then of each its value there and its rise along
    x and y [per pixel]. From the first two the pixel's own place is taken away: they are the flow.
    """
    plane[0], plane[1] = edge[0], edge[1]
    for k in range(count):
        at_c = attributes[corners[2], k]
        from_a, from_b = attributes[corners[0], k] - at_c, attributes[corners[1], k] - at_c
        plane[2 + 3 * k] = at_c
        plane[3 + 3 * k] = from_a * edge[2] + from_b * edge[4]
        plane[4 + 3 * k] = from_a * edge[3] + from_b * edge[5]
    step = np.float32(2) / np.float32(size)
    plane[2] -= (edge[0] + HALF) * step - ONE
    plane[3] -= step
    plane[5] -= (edge[1] + HALF) * step - ONE
    plane[7] -= step


@numba.njit(cache=True, nogil=True)
def _continue_photograph(weight, softened, flow):  # type: ignore[no-untyped-def]
    """A rendered pixel beside the photograph shows some of it too, where its nearest photographed neighbour does."""
    for y in range(1, weight.shape[0] - 1):
        for x in range(1, weight.shape[1] - 1):
            if weight[y, x] < 0.5 or softened[y, x] >= 1:
                continue
            least = np.float32(0.5)
            for j in range(-1, 2):
                for i in range(-1, 2):
                    if weight[y + j, x + i] < least:
                        least = weight[y + j, x + i]
                        flow[y, x, 0], flow[y, x, 1] = flow[y + j, x + i, 0], flow[y + j, x + i, 1]
