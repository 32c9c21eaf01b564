"""Bringing one photograph of a person to another's light and colours.

Both show the same skin; of one of its points they have the colours albedo · irradiance · camera, so that the logarithm of their
ratio is free of the albedo, and as low in order as light is: spherical harmonics of the normal, and a slope across the face.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.fill import fill
from engine.head import HeadModel
from engine.render import Renderer
from engine.render.lighting import harmonics, vertex_normals
from engine.values import Floats, Mask, Picture

LEAST = 0.02  # added to colours 0…1: what is darker is noise
UNLIKE = 0.08  # log ratio from which a vertex counts less: folds, shadows, paint, glare
STIFF = 10.0  # of the harmonics and slopes, in vertices; the constant is free
ROUNDS = 5
MOST_GAIN = 2.5


@dataclass(frozen=True)
class ColourMatch:
    """``gain`` (V, 3) by which the colours are multiplied; ``residual``, the median of what is left, |log ratio|."""

    gain: Floats
    residual: float


def match_colours(head: HeadModel, own: Floats, wanted: Floats, both: Mask) -> ColourMatch:
    """From the colours (V, 3) 0…1 of two photographs at the vertices ``both`` (V,) show well, skin of the face alone."""
    normals = vertex_normals(head.mean_shape, head.triangles)
    basis = np.concatenate([harmonics(normals), head.mean_shape[:, :2]], 1).astype(np.float64)
    ratio = np.log((wanted[both] + LEAST) / (own[both] + LEAST))
    J, trust = basis[both], np.ones(len(ratio))
    prior = np.diag([0.1] + [STIFF] * (basis.shape[1] - 1))
    for _ in range(ROUNDS):
        weighted = J * trust[:, None]
        found = np.linalg.solve(weighted.T @ J + prior, weighted.T @ ratio)
        left = np.abs(ratio - J @ found).mean(1)
        trust = 1 / (1 + (left / UNLIKE) ** 2)
    most = np.log(MOST_GAIN)
    gain = np.exp(np.clip(basis @ found, -most, most))
    return ColourMatch(np.asarray(gain, np.float32), float(np.median(left)))


def recoloured(crop: Picture, gain: Floats, screen: Floats, head: HeadModel, renderer: Renderer) -> Picture:
    """The crop (S, S, 3) multiplied by the gain of the vertices, which lie at ``screen`` (V, 3); continued around the head."""
    raster = renderer.rasterise(screen, head.triangles)
    field = fill(renderer.interpolate(raster, head.triangles, gain), raster.triangle >= 0)
    return np.asarray(np.clip(crop * field + 0.5, 0, 255), np.uint8)
