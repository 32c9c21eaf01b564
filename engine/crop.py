"""Squares around faces: which part of a picture is animated, and how it is cut out."""

from __future__ import annotations

import cv2
import numpy as np

from engine.values import Face, Floats, Picture, Square

SQUARE_PER_FACE = 2.1  # side of the square, in heights of the face (forehead to chin)
SQUARE_LIFT = 0.15  # the square's centre lies so many face heights above the face's: hair needs more room than the neck


def face_size(face: Face) -> float:
    """The larger side of the landmarks' bounding box [px]: forehead to chin."""
    return float(np.ptp(face.landmarks[:, :2], axis=0).max())


def face_centre(face: Face) -> Floats:
    """(2,) the middle of the landmarks' bounding box [px]."""
    points = face.landmarks[:, :2]
    return np.asarray((points.min(0) + points.max(0)) / 2, np.float32)


def square_around(face: Face) -> Square:
    """The square that is animated around a face: hair and shoulders fit in, and the head has room to move."""
    x, y = face_centre(face)
    size = face_size(face)
    return Square(float(x), float(y - SQUARE_LIFT * size), SQUARE_PER_FACE * size)


def cut(photo: Picture, square: Square, size_px: int, kernel: int = cv2.INTER_CUBIC) -> Picture:
    """(size, size, 3) the square of a photo by OpenCV's ``kernel``; smoothed when reduced; border pixels go on beyond."""
    shrink = square.side_px / size_px
    source = cv2.GaussianBlur(photo, (0, 0), 0.45 * shrink) if shrink > 1.2 else photo
    return np.asarray(
        cv2.warpAffine(source, square.matrix(size_px), (size_px, size_px), flags=kernel, borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )


def extend(photo: Picture, left: int, right: int, top: int, bottom: int) -> Picture:
    """Adds margins [px] that continue the picture's edge, the softer the farther out."""
    wide = cv2.copyMakeBorder(photo, top, bottom, left, right, cv2.BORDER_REPLICATE)
    inside = np.full(photo.shape[:2], 255, np.uint8)
    outside = 255 - cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(0,))
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, 3)
    reach = max(photo.shape[:2]) * 0.25
    out = wide.astype(np.float32)
    for sigma, start in ((reach * 0.04, 0.0), (reach * 0.12, 0.1), (reach * 0.3, 0.35)):
        weight = np.clip((distance / reach - start) / 0.15, 0, 1)[..., None]
        scale = max(1, int(sigma / 4))
        small = cv2.resize(wide, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
        soft = cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / scale), wide.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        out += weight * (soft - out)
    return out.round().astype(np.uint8)
