"""Where the head is in the picture: as ``engine.crop.square_around`` frames a face, and less exactly, for heads move."""

from __future__ import annotations

import numpy as np

from engine.conventions import CAMERA_DISTANCE_DM, FOCAL, place, project
from engine.crop import SQUARE_LIFT, SQUARE_PER_FACE
from engine.values import Floats
from trainer.data.synthetic.noise import chance

_START_DM = -5.0
_ROUNDS = 4
_JITTER, _WIDE_JITTER = (0.06, 0.04), (0.16, 0.14)  # of size (log) and place (half pictures)
_WIDE = 0.3  # how often


def draw_place(rng: np.random.Generator, landmarks: Floats, turn: Floats) -> Floats:
    """(3,) x, y, z [dm] of the pose that frames (478, 3) landmarks in head coordinates, turned by (3,) ``turn``."""
    size_spread, shift_spread = _WIDE_JITTER if chance(rng, _WIDE) else _JITTER
    size = 2 / SQUARE_PER_FACE * float(np.exp(np.clip(rng.normal(0, size_spread), -0.4, 0.3)))
    shift = np.clip(rng.normal(0, shift_spread, 2), -0.3, 0.3) + np.array([0, SQUARE_LIFT * size])
    return frame(landmarks, turn, size, shift)


def frame(landmarks: Floats, turn: Floats, size: float, centre: Floats) -> Floats:
    """(3,) the place at which the landmarks' bounding box has ``size`` (larger side) and (2,) ``centre``, crop coordinates."""
    pose = np.array([*turn, 0, 0, _START_DM], np.float32)
    for _ in range(_ROUNDS):
        seen = project(place(landmarks, pose))[:, :2]
        low, high = seen.min(0), seen.max(0)
        depth = (CAMERA_DISTANCE_DM - pose[5]) * float((high - low).max()) / size
        moved = (centre - (low + high) / 2) * depth / FOCAL
        pose[3:] = [pose[3] + moved[0], pose[4] - moved[1], CAMERA_DISTANCE_DM - depth]
    return pose[3:]
