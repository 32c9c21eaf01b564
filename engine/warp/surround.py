"""The surround: what of the photograph is not head mesh (hair, ears' edges, shoulders, background) as a sheet at the head's rim.

A head that turns carries its hair along: a point of the photograph beside the head is taken to lie at the depth of the head's
outline next to it, and follows the head rigidly, less and less with distance and not at all at the crop's border. Drawn together
with the head mesh, which hides the part of the sheet behind it, this gives every pixel its place in the photograph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.conventions import CAMERA_DISTANCE_DM, FOCAL
from engine.fill import fill
from engine.render import Raster
from engine.render.raster import Indices
from engine.values import Floats, Mask

CELLS = 48  # of the sheet along each side
FOLLOW_FULLY, FOLLOW_NOT = 0.12, 0.75  # distance from the head mesh [crop units] up to which, and from which, hair follows
SHOULDERS = 0.3  # height of the strip below the chin in which the motion fades [crop units]
BORDER = 0.25  # width of the strip along the crop's border in which the motion fades [crop units]


@dataclass(frozen=True)
class Surround:
    """A sheet of (CELLS + 1)² vertices.

    uv         (S, 2) crop coordinates in the photograph
    placed     (S, 3) where it lies in camera space at the source's pose [dm]
    follow     (S, 2) 0…1, how much it follows the head's pose, and the body's
    triangles  (T, 3)
    """

    uv: Floats
    placed: Floats
    follow: Floats
    triangles: Indices


def make_surround(raster: Raster, shell: Raster, follow: Floats, chin: float, matte: Floats) -> Surround:
    """From the source's rasters of the head and of its shell, the head's interpolated ``follow`` (N, N), the chin's y [crop
    units], and the person's ``matte`` (N, N)."""
    size = raster.triangle.shape[0]
    axis = np.linspace(-1, 1, CELLS + 1, dtype=np.float32)
    uv = np.stack(np.meshgrid(axis, axis, indexing="xy"), -1).reshape(-1, 2)
    head, hair = raster.triangle >= 0, shell.triangle >= 0
    rim = (head | hair) & (cv2.erode((head | hair).astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    depth = _sample(fill(np.where(rim, np.minimum(raster.depth, shell.depth), 0), rim), uv)
    x, y = uv.T * depth / FOCAL
    placed = np.stack([x, -y, CAMERA_DISTANCE_DM - depth], 1).astype(np.float32)
    carried = fill(np.where(hair, 1, follow), head | hair)
    with_head = _sample(carried * _falloff((head & (follow > 0.5)) | hair, size), uv) * _body(uv, chin)
    with_body = _sample(cv2.GaussianBlur(matte, (0, 0), size / 40), uv) * (1 - with_head)
    shares = np.stack([with_head, with_body], 1) * border_share(uv)[:, None]
    return Surround(uv, placed, shares.astype(np.float32), _grid_triangles(CELLS))


def _falloff(head: Mask, size: int) -> Floats:
    distance = cv2.distanceTransform((~head).astype(np.uint8), cv2.DIST_L2, 5) * (2 / size)
    return 1 - _smoothstep((distance - FOLLOW_FULLY) / (FOLLOW_NOT - FOLLOW_FULLY))


def border_share(uv: Floats) -> Floats:
    """(V,) 0 at the border of the crop, 1 well within."""
    return _smoothstep((1 - np.abs(uv).max(1)) / BORDER)


def _body(uv: Floats, chin: float) -> Floats:
    """0 for what lies below the chin: shoulders stay where they are."""
    return 1 - _smoothstep((uv[:, 1] - chin) / SHOULDERS + 0.3)


def _smoothstep(x: NDArray[Any]) -> Floats:
    t = np.clip(x, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _sample(field: NDArray[Any], uv: Floats) -> Floats:
    pixel = ((uv + 1) / 2 * len(field) - 0.5).astype(np.float32)[None]
    return np.asarray(cv2.remap(field, pixel[..., 0], pixel[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0])


def _grid_triangles(cells: int) -> Indices:
    corner = (np.arange(cells)[:, None] * (cells + 1) + np.arange(cells)).ravel()
    right, below, across = corner + 1, corner + cells + 1, corner + cells + 2
    both = np.concatenate([np.stack([corner, below, right], 1), np.stack([right, below, across], 1)])
    return np.asarray(both, np.int32)
