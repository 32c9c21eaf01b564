"""The prior in plain numpy: the readable twin that ``prior`` must match; nothing else uses it."""

from __future__ import annotations

import numpy as np

from engine.components import COMPONENTS
from engine.conventions import pixel_grid
from engine.render.raster import Indices
from engine.render.reference import ReferenceRenderer
from engine.values import Floats
from engine.warp.prior import Prior

NEIGHBOURS = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
TENT = {-1: 0.25, 0: 0.5, 1: 0.25}


def draw_prior(screen: Floats, triangles: Indices, heads: int, attributes: Floats, size: int) -> Prior:
    """See ``engine.warp.prior.PriorRasteriser.draw``."""
    renderer = ReferenceRenderer(size)
    raster = renderer.rasterise(screen, triangles)
    head = (raster.triangle >= 0) & (raster.triangle < heads)
    values = renderer.interpolate(raster, triangles, attributes)
    flow = np.where((raster.triangle >= 0)[..., None], values[..., :2] - pixel_grid(size), 0).astype(np.float32)
    weight = np.where(head, values[..., 2], 0).astype(np.float32)
    render = np.where(head[..., None], np.clip(values[..., 3:] + 0.5, 0, 255), 0).astype(np.uint8)
    beside = np.pad(render, ((1, 1), (1, 1), (0, 0)), mode="reflect").astype(np.float64)
    render = np.rint(sum(TENT[j] * TENT[i] * beside[1 + j : 1 + j + size, 1 + i : 1 + i + size] for j, i in NEIGHBOURS)).astype(
        np.uint8
    )
    padded = np.pad(weight, 1, mode="reflect").astype(np.float64)
    softened = sum(padded[1 + j : 1 + j + size, 1 + i : 1 + i + size] for j, i in NEIGHBOURS) / 9
    softened = np.asarray(softened, np.float32)
    return Prior(
        _continued(weight, softened, flow),
        render,
        softened,
        head.astype(np.float32),
        np.zeros((len(COMPONENTS), 2), np.float32),
        np.ones(len(COMPONENTS), np.float32),
    )


def _continued(weight: Floats, softened: Floats, flow: Floats) -> Floats:
    """A rendered pixel beside the photograph shows some of it too, where its nearest photographed neighbour does."""
    out = flow.copy()
    size = len(weight)
    for y, x in np.argwhere((weight >= 0.5) & (softened < 1)):
        if 0 < y < size - 1 and 0 < x < size - 1:
            beside = [(y + j, x + i) for j, i in NEIGHBOURS]
            least = min(beside, key=lambda place: weight[place])
            if weight[least] < 0.5:
                out[y, x] = flow[least]
    return out
