"""Where in a picture what people look at is: the face by the head's own mesh, mouth and eyes with their lids."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from engine.values import FACE_POINTS, Floats, Mask
from trainer.data.shards import CROP_PX
from trainer.generator.batches import REGIONS, region_mask

WHOLE, COMPONENTS = "", "mouth and eyes"


def areas_of(points: Floats, mesh_points: Floats, coverage: Floats) -> Mapping[str, Mask]:
    """Area → (512, 512). ``points`` (478, 2) of the tracker say where mouth and eyes are; the face is what the mesh covers
    (``coverage`` (512, 512)) within the outline of its own landmark points (478, 2). All in crop coordinates."""
    return {
        "face": face_mask(mesh_points, coverage),
        COMPONENTS: region_mask(points) > 0,
        "mouth": region_mask(points, REGIONS[:1]) > 0,
        "eyes": region_mask(points, REGIONS[1:]) > 0,
    }


def face_mask(mesh_points: Floats, coverage: Floats) -> Mask:
    """(512, 512) the mesh within its landmark points (478, 2): without scalp, ears and neck, over which hair and clothes lie."""
    inside = np.zeros((CROP_PX, CROP_PX), np.uint8)
    outline = cv2.convexHull(((mesh_points[:FACE_POINTS] + 1) * CROP_PX / 2).round().astype(np.int32))
    cv2.fillConvexPoly(inside, outline, (1,))
    return np.asarray((inside > 0) & (coverage > 0))
