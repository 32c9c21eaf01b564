"""The surround: what of the photograph is not head mesh (hair, ears' edges, shoulders, background) as a sheet at the head's rim.

A head that turns carries its hair along: a point of the photograph beside the head is taken to lie at the depth of the head's
outline next to it, and follows the head rigidly, less and less with distance and not at all at the crop's border. Drawn together
with the head mesh, which hides the part of the sheet behind it, this gives every pixel its place in the photograph.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine.conventions import CAMERA_DISTANCE_DM, FOCAL
from engine.fill import fill
from engine.ramps import smooth_step
from engine.render import Raster
from engine.render.raster import Indices
from engine.values import Floats, Mask

CELLS = 64  # of the sheet along each side
BEHIND_DM, NEAR_DM = 0.5, 0.03  # the sheet lies so far behind the face, and behind the strip along the face's outline
MOBILE_DM = 0.02
CHIN_DM, CHIN_BEHIND_DM = 0.2, 0.25  # beside skin that an open jaw moves so far, the sheet lies so far behind: room for the chin
BEHIND_FROM = 0.04  # width of that strip [crops]
FOLLOW_FULLY, FOLLOW_NOT = 0.12, 0.75  # distance from the head mesh [crop units] up to which, and from which, hair follows
SHOULDERS = 0.3  # height of the strip below the chin in which the motion fades [crop units]
SLOPE = 6.0  # the sheet recedes from the outline so steeply: ear and hair at the head's side [dm per dm]
RECEDE_DM = 1.0  # but not farther than this
BORDER = 0.25  # width of the strip along the crop's border in which the motion fades [crop units]


@dataclass(frozen=True)
class Surround:
    """A sheet of (CELLS + 1)² vertices.

    uv         (S, 2) crop coordinates in the photograph
    placed     (S, 3) where it lies in camera space at the source's pose [dm]
    follow     (S,)   0…1, how much it follows the head's pose
    triangles  (T, 3)
    """

    uv: Floats
    placed: Floats
    follow: Floats
    triangles: Indices


def make_surround(raster: Raster, follow: Floats, mobility: Floats, chin: float) -> Surround:
    """From the source's raster of the head, its interpolated ``follow`` and ``mobility`` (N, N), and the chin's y [crop units].

    ``mobility`` [dm] is how far expressions move the surface: where they do, the sheet keeps well behind.
    """
    size = raster.triangle.shape[0]
    axis = np.linspace(-1, 1, CELLS + 1, dtype=np.float32)
    uv = np.stack(np.meshgrid(axis, axis, indexing="xy"), -1).reshape(-1, 2)
    head = raster.triangle >= 0
    depth = _sample(_sheet_depth(raster.depth, mobility, head), uv)
    x, y = uv.T * depth / FOCAL
    placed = np.stack([x, -y, CAMERA_DISTANCE_DM - depth], 1).astype(np.float32)
    weight = _sample(fill(follow, head) * _falloff(head & (follow > 0.5), size), uv) * _border(uv) * _body(uv, chin)
    return Surround(uv, placed, weight.astype(np.float32), _grid_triangles(CELLS))


def _sheet_depth(depth: Floats, mobility: Floats, head: Mask) -> Floats:
    """The head's own depth, continued outward from its outline; inside just behind the surface at first, then far behind."""
    surface = fill(np.where(head, depth, 0), head)
    dm_per_px = 2 / len(head) * float(depth[head].mean()) / FOCAL
    inside, outside = (cv2.distanceTransform(m.astype(np.uint8), cv2.DIST_L2, 5) for m in (head, ~head))
    receding = RECEDE_DM * np.tanh(SLOPE * outside * dm_per_px / RECEDE_DM)
    strip = BEHIND_FROM * len(head)
    mobile = np.clip(mobility / MOBILE_DM - 1, 0, 1) * smooth_step(inside / strip)
    behind = BEHIND_DM * np.maximum(smooth_step(inside / strip - 1), mobile) + NEAR_DM * smooth_step(inside / 10)
    behind = np.maximum(behind, CHIN_BEHIND_DM * smooth_step(fill(mobility, head) / CHIN_DM - 0.5))
    return np.asarray(surface + receding + behind, np.float32)


def _falloff(head: Mask, size: int) -> Floats:
    distance = cv2.distanceTransform((~head).astype(np.uint8), cv2.DIST_L2, 5) * (2 / size)
    return 1 - smooth_step((distance - FOLLOW_FULLY) / (FOLLOW_NOT - FOLLOW_FULLY))


def _border(uv: Floats) -> Floats:
    return smooth_step((1 - np.abs(uv).max(1)) / BORDER)


def _body(uv: Floats, chin: float) -> Floats:
    """0 for what lies below the chin: shoulders stay where they are."""
    return 1 - smooth_step((uv[:, 1] - chin) / SHOULDERS + 0.3)


def _sample(field: Floats, uv: Floats) -> Floats:
    pixel = ((uv + 1) / 2 * len(field) - 0.5).astype(np.float32)[None]
    return np.asarray(cv2.remap(field, pixel[..., 0], pixel[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0])


def _grid_triangles(cells: int) -> Indices:
    corner = (np.arange(cells)[:, None] * (cells + 1) + np.arange(cells)).ravel()
    right, below, across = corner + 1, corner + cells + 1, corner + cells + 2
    both = np.concatenate([np.stack([corner, below, right], 1), np.stack([right, below, across], 1)])
    return np.asarray(both, np.int32)
