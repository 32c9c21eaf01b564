"""Shadows of the key lamp: what it does not see is dark, softly, for lamps and windows are wide."""

from __future__ import annotations

import cv2
import numpy as np

from engine.render import Renderer
from engine.render.raster import Indices
from engine.values import Floats

SHADOW_PX = 192
REACH_DM = 2.6  # half width of what the lamp looks at
BIAS_DM = 0.07
SOFT_DM = 0.08
_FAR_DM = 20.0


def lit_share(lamp: Renderer, placed: Floats, triangles: Indices, direction: Floats) -> Floats:
    """(V,) 0…1 how much of each vertex (V, 3) a lamp in the (3,) unit ``direction`` sees, by a depth map from the lamp."""
    seen = _from_lamp(placed, direction)
    depth = lamp.rasterise(seen, triangles).depth
    filled = np.where(np.isfinite(depth), depth, 2 * _FAR_DM).astype(np.float32)
    pixel = ((seen[:, :2] + 1) / 2 * lamp.size - 0.5).astype(np.float32)
    step = SOFT_DM / REACH_DM * lamp.size / 2
    offsets = [(x, y) for x in (-step, 0, step) for y in (-step, 0, step)]
    shares = [_share(filled, pixel + np.array(offset, np.float32), seen[:, 2]) for offset in offsets]
    return np.asarray(np.mean(shares, 0), np.float32)


def _from_lamp(placed: Floats, direction: Floats) -> Floats:
    """(V, 3) x, y and depth as the lamp sees them, without perspective, around the head."""
    aside = np.cross([0.0, 1.0, 0.0], direction)
    aside /= np.linalg.norm(aside)
    up = np.cross(direction, aside)
    local = placed - np.median(placed, 0)
    columns = [local @ aside / REACH_DM, -local @ up / REACH_DM, _FAR_DM - local @ direction]
    return np.asarray(np.stack(columns, 1), np.float32)


def _share(depth: Floats, pixel: Floats, own: Floats) -> Floats:
    near = cv2.remap(depth, pixel[None, :, 0], pixel[None, :, 1], cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)[0]
    return np.asarray(np.clip((near - own + BIAS_DM) / (0.5 * BIAS_DM) + 1, 0, 1), np.float32)
