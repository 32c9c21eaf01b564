"""The tight crop that the network sees, and what its answer means in another crop of the same picture."""

from __future__ import annotations

import numpy as np

from engine.conventions import CAMERA_DISTANCE_DM, FOCAL, place, project
from engine.regress.landmarks import refine_pose
from engine.values import FACE_POINTS, Face, Floats, Picture, Square

CROP_PER_FACE = 1.45  # side of the network's crop, in heights of the face: chin, brows and some hair, at all angles
MARGIN = 0.55  # of the crop's side, from its centre: a little more than half, for smoothing
STEADY_SHIFT, STEADY_GROWTH = 0.025, 0.05  # of the crop's side; the training's jitter is as large


def tight_crop(points_px: Floats) -> Square:
    """The network's square around (478, 2+) landmarks in pixels."""
    points = points_px[:FACE_POINTS, :2]
    low, high = points.min(0), points.max(0)
    x, y = (low + high) / 2
    return Square(float(x), float(y), CROP_PER_FACE * float((high - low).max()))


def crop_of(face: Face) -> Square:
    """The network's square around a tracked face."""
    return tight_crop(face.landmarks)


def steadied(before: Square | None, now: Square) -> Square:
    """The former crop while the face has hardly moved in it: a still face is then seen in the very same pixels."""
    if before is None:
        return now
    moved = max(abs(now.centre_x_px - before.centre_x_px), abs(now.centre_y_px - before.centre_y_px)) / before.side_px
    grown = abs(now.side_px / before.side_px - 1)
    return before if moved < STEADY_SHIFT and grown < STEADY_GROWTH else now


def nearby(picture: Picture, square: Square) -> tuple[Picture, Square]:
    """The part of a picture that matters for a square, and the square in it: what is cut from it need not touch the rest."""
    reach = MARGIN * square.side_px
    height, width = picture.shape[:2]
    left, right = (int(min(max(square.centre_x_px + s * reach, 0), width)) for s in (-1, 1))
    top, bottom = (int(min(max(square.centre_y_px + s * reach, 0), height)) for s in (-1, 1))
    if right - left < 2 or bottom - top < 2:
        return picture, square
    return picture[top:bottom, left:right], Square(square.centre_x_px - left, square.centre_y_px - top, square.side_px)


def carry_pose(points: Floats, pose: Floats, seen_in: Square, wanted_in: Square) -> Floats:
    """(6,) the pose by which (N, 3) head points appear in another crop where ``pose`` puts them in the first.

    Each crop is looked at by its own camera on its own axis (``engine.conventions``), so the angles differ a little, too.
    """
    seen = project(place(points, pose))[:, :2]
    wanted = wanted_in.normalise(seen_in.to_pixels(seen))
    scale = seen_in.side_px / wanted_in.side_px
    depth = (CAMERA_DISTANCE_DM - pose[5]) / scale
    centre = np.array([[FOCAL * pose[3], -FOCAL * pose[4]]], np.float32) / (CAMERA_DISTANCE_DM - pose[5])
    x, y = wanted_in.normalise(seen_in.to_pixels(centre))[0]
    start = np.array([*pose[:3], x * depth / FOCAL, -y * depth / FOCAL, CAMERA_DISTANCE_DM - depth], np.float32)
    return refine_pose(points, wanted, start, np.ones(len(points), np.float32), steps=3)
