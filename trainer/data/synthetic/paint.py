"""Colours of the pixels: one solid layer and two veils of a scene, composed over a background; what each pixel shows."""

from __future__ import annotations

import numba
import numpy as np

from engine.render.raster import Indices, Raster
from engine.values import Floats

ATTRIBUTES = 9  # shade r, g, b · highlight r, g, b · u, v · opacity


def paint(
    raster: Raster, triangles: Indices, attributes: Floats, texture_of: Indices, textures: Floats, colour: Floats, alpha: Floats
) -> None:
    """One layer, written into ``colour`` (N, N, 3) and ``alpha`` (N, N), 0 where the raster is empty.

    attributes (V, 9); texture_of (T,) index into textures (K, S, S, 4), which repeat and are read bilinearly.
    """
    _paint(raster.triangle, raster.weights, triangles, attributes, texture_of, textures, colour, alpha)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _paint(seen, weights, triangles, attributes, texture_of, textures, colour, alpha):  # type: ignore[no-untyped-def]
    size = textures.shape[1]
    value = np.zeros(9, np.float32)
    texel = np.zeros(4, np.float32)
    for y in range(seen.shape[0]):
        for x in range(seen.shape[1]):
            t = seen[y, x]
            if t < 0:
                alpha[y, x] = 0
                continue
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            wa, wb = weights[y, x, 0], weights[y, x, 1]
            wc = np.float32(1) - wa - wb
            for k in range(9):
                value[k] = wa * attributes[a, k] + wb * attributes[b, k] + wc * attributes[c, k]
            picture = textures[texture_of[t]]
            u, v = value[6] * size - np.float32(0.5), value[7] * size - np.float32(0.5)
            left, top = int(np.floor(u)), int(np.floor(v))
            fu, fv = u - np.float32(left), v - np.float32(top)
            x0, x1, y0, y1 = left % size, (left + 1) % size, top % size, (top + 1) % size
            for k in range(4):
                upper = picture[y0, x0, k] + fu * (picture[y0, x1, k] - picture[y0, x0, k])
                lower = picture[y1, x0, k] + fu * (picture[y1, x1, k] - picture[y1, x0, k])
                texel[k] = upper + fv * (lower - upper)
            for k in range(3):
                colour[y, x, k] = value[k] * texel[k] + value[3 + k]
            alpha[y, x] = min(max(value[8] * texel[3], np.float32(0)), np.float32(1))


@numba.njit(cache=True, nogil=True, error_model="numpy")
def compose(picture, colours, alphas, depths, seen, layer_of, mask):  # type: ignore[no-untyped-def]
    """Lays the layers over ``picture`` (N, N, 3), far to near, and notes in ``mask`` (N, N) which of them shows most.

    colours (3, N, N, 3), alphas (3, N, N), depths (3, N, N), seen (3, N, N) triangles, layer_of (T,); layer 0 is solid and hides
    what lies behind it.
    """
    for y in range(picture.shape[0]):
        for x in range(picture.shape[1]):
            mask[y, x] = 0
            if alphas[0, y, x] > 0:
                mask[y, x] = layer_of[seen[0, y, x]]
                for k in range(3):
                    picture[y, x, k] = colours[0, y, x, k]
            far, near = (1, 2) if depths[1, y, x] >= depths[2, y, x] else (2, 1)
            for layer in (far, near):
                a = alphas[layer, y, x]
                if a <= 0 or depths[layer, y, x] > depths[0, y, x]:
                    continue
                if a >= 0.5:
                    mask[y, x] = layer_of[seen[layer, y, x]]
                for k in range(3):
                    picture[y, x, k] += a * (colours[layer, y, x, k] - picture[y, x, k])
