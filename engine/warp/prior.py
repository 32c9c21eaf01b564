"""The prior: what geometry knows of a driven picture, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numba
import numpy as np

from engine.render import Raster
from engine.render.raster import Indices
from engine.values import Floats, Picture


@dataclass(frozen=True)
class Prior:
    """What geometry knows of a driven picture; arrays are reused by the next call.

    flow          (N, N, 2)        backward flow into the photograph, ``engine.conventions``
    render        (N, N, 3) uint8  I_3D of the head, 0 elsewhere
    render_weight (N, N)           0…1, where the photograph has nothing to show and I_3D stands in
    coverage      (N, N)           1 where the head mesh is, else 0
    """

    flow: Floats
    render: Picture
    render_weight: Floats
    coverage: Floats

    @staticmethod
    def empty(size: int) -> Prior:
        """Arrays for pictures of ``size`` pixels, to be written into."""
        plane, rgb = (size, size), (size, size, 3)
        return Prior(
            np.empty((size, size, 2), np.float32),
            np.empty(rgb, np.uint8),
            np.empty(plane, np.float32),
            np.empty(plane, np.float32),
        )


def draw_prior(raster: Raster, triangles: Indices, heads: int, attributes: Floats, weight: Floats, out: Prior) -> None:
    """Fills ``out`` from a raster whose first ``heads`` triangles are the head's.

    attributes (V, 6): place in the photograph u, v [crop units], how far it is unseen there 0…1, rendered colour r, g, b 0…255.
    weight (N, N) is scratch.
    """
    _draw(raster.triangle, raster.weights, triangles, heads, attributes, weight, out.flow, out.render, out.coverage)
    cv2.blur(weight, (3, 3), dst=out.render_weight)
    _continue_photograph(weight, out.render_weight, out.flow)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _draw(seen, weights, triangles, heads, attributes, weight, flow, render, coverage):  # type: ignore[no-untyped-def]
    size = seen.shape[0]
    step = np.float32(2) / np.float32(size)
    for y in range(size):
        row = np.float32(y + 0.5) * step - np.float32(1)
        for x in range(size):
            t = seen[y, x]
            if t < 0:  # cannot happen: the surround covers the picture
                flow[y, x, 0] = flow[y, x, 1] = weight[y, x] = coverage[y, x] = 0
                render[y, x, 0] = render[y, x, 1] = render[y, x, 2] = 0
                continue
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            wa, wb = weights[y, x, 0], weights[y, x, 1]
            wc = np.float32(1) - wa - wb
            column = np.float32(x + 0.5) * step - np.float32(1)
            flow[y, x, 0] = wa * attributes[a, 0] + wb * attributes[b, 0] + wc * attributes[c, 0] - column
            flow[y, x, 1] = wa * attributes[a, 1] + wb * attributes[b, 1] + wc * attributes[c, 1] - row
            if t >= heads:
                weight[y, x] = coverage[y, x] = 0
                render[y, x, 0] = render[y, x, 1] = render[y, x, 2] = 0
                continue
            coverage[y, x] = 1
            weight[y, x] = wa * attributes[a, 2] + wb * attributes[b, 2] + wc * attributes[c, 2]
            for k in range(3, 6):
                level = wa * attributes[a, k] + wb * attributes[b, k] + wc * attributes[c, k] + np.float32(0.5)
                render[y, x, k - 3] = np.uint8(min(max(level, np.float32(0)), np.float32(255)))


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
