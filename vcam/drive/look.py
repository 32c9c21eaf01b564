"""Eyes that look into the camera, whatever the driver looks at: people look at the screen, and seem to look away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.conventions import CAMERA_DISTANCE_DM, rotation
from engine.values import Coefficients, Floats

NATURAL, FARTHEST = 0.4, 0.55  # sines: of a head that is turned so far that eyes would have to go farther, less is asked of them


def toward_camera(pose: Floats) -> Floats:
    """(4,) τ of eyes that look at the camera from a head in this pose."""
    way = rotation(pose[:3]).T @ (np.array([0, 0, CAMERA_DISTANCE_DM], np.float32) - pose[3:])
    x, y, _ = way / np.linalg.norm(way)
    return np.array([x, y, x, y], np.float32)


def looking_at_camera(z: Coefficients, share: float) -> Coefficients:
    """z with its gaze moved toward the camera by ``share``, 0…1."""
    if share <= 0:
        return z
    wanted = toward_camera(z.pose)
    possible = np.clip((FARTHEST - np.abs(wanted).max()) / (FARTHEST - NATURAL), 0, 1)
    return replace(z, gaze=np.asarray(z.gaze + np.float32(share * possible) * (wanted - z.gaze), np.float32))
