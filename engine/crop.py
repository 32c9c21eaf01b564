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
