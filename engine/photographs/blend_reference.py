"""Drawing further photographs into a picture, in plain numpy: the readable twin that ``blend`` must match."""

from __future__ import annotations

import numpy as np

from engine.generator.compose_reference import sample_cubic
from engine.photographs.blend import FLOOR, LEAST_WORTH, RENDERED
from engine.render.raster import Indices
from engine.render.reference import ReferenceRenderer
from engine.values import Floats, Picture


def blend(
    picture: Picture,
    screen: Floats,
    triangles: Indices,
    heads: int,
    values: Floats,
    photographs: list[Picture],
    render_weight: Floats,
) -> Picture:
    """See ``engine.photographs.blend.Blender.blend``; from the mesh, (V, 3) on the screen, and photographs (S, S, 3)."""
    renderer = ReferenceRenderer(len(picture))
    raster = renderer.rasterise(screen, triangles)
    head = (raster.triangle >= 0) & (raster.triangle < heads)
    padded = np.zeros((len(screen), values.shape[1]), np.float32)
    padded[: len(values)] = values
    there = renderer.interpolate(raster, triangles, padded)
    before = picture.astype(np.float32)
    worth = np.maximum(there[..., :1], FLOOR) * (1 - (1 - RENDERED) * render_weight[..., None])
    change = np.zeros_like(before)
    for number, photograph in enumerate(photographs):
        place, own = there[..., 1 + 3 * number : 3 + 3 * number], there[..., 3 + 3 * number, None]
        own = np.where(own > LEAST_WORTH, own, 0)
        change += own * (sample_cubic(photograph, place) - before)
        worth = worth + own
    changed = np.clip(before + change / worth, 0, 255)
    return np.where(head[..., None], np.floor(changed + 0.5), picture).astype(np.uint8)
