"""Where faces are: the detector's answers read, and the rectangles that are cut out for the landmark network.

The numbers are those of the published models (BlazeFace, short range) and of mediapipe's graphs around them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine.values import Face, Floats, Picture

DETECTOR_PX = 128
SURE = 0.5  # score from which a box counts
SAME_FACE = 0.5  # boxes that overlap by more (intersection over union) are one face
REGION_PER_BOX = 1.5
EYES = slice(4, 8)  # of a detection: x and y of the right and of the left eye


@dataclass(frozen=True)
class Region:
    """A rectangle around a face [px of the picture], turned by ``angle_rad`` clockwise as seen: the eyes lie level in it."""

    centre: Floats  # (2,) x, y
    size: Floats  # (2,) width, height
    angle_rad: float

    def cut(self, image: Picture, size_px: int) -> Picture:
        """(size, size, 3) the region, bilinear; border pixels continue beyond the edge."""
        width, height = self.size / size_px
        cos, sin = np.cos(self.angle_rad), np.sin(self.angle_rad)
        across, down = np.array([cos, sin]) * width, np.array([-sin, cos]) * height
        matrix = np.stack([across, down, self.centre - (across + down) * (size_px / 2)], 1)
        return warp(image, matrix, size_px, cv2.BORDER_REPLICATE)

    def to_picture(self, points: Floats) -> Floats:
        """(N, 3) points, 0…1 in the region, third with the unit of x → pixels of the picture."""
        cos, sin = np.cos(self.angle_rad), np.sin(self.angle_rad)
        turned = (points[:, :2] - 0.5) * self.size @ np.array([[cos, sin], [-sin, cos]])
        return np.asarray(np.concatenate([turned + self.centre, points[:, 2:] * self.size[0]], 1), np.float32)


def width_px(face: Face) -> float:
    """From ear to ear, in the picture."""
    return float(np.ptp(face.landmarks[:, 0]))


def warp(image: Picture, matrix: Floats, size_px: int, border: int) -> Picture:
    """(size, size, 3): pixel i, j of the result is the picture's at ``matrix`` (2, 3) · (i, j, 1)."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(image, matrix, (size_px, size_px), flags=flags, borderMode=border), np.uint8)


def fitted(image: Picture) -> tuple[Picture, Floats]:
    """The whole picture in the detector's square, black beside it; and (3,) the square's side, left and top there [px]."""
    height, width = image.shape[:2]
    side = max(height, width)
    shift = np.array([(width - side) / 2, (height - side) / 2])
    scale = side / DETECTOR_PX
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return warp(image, matrix, DETECTOR_PX, cv2.BORDER_CONSTANT), np.array([side, *shift], np.float32)


def anchors() -> Floats:
    """(896, 2) the places that the detector's answers are relative to, 0…1: two a cell of 8 px, then six a cell of 16 px."""
    places = []
    for cells, each in ((16, 2), (8, 6)):
        axis = (np.arange(cells) + 0.5) / cells
        places.append(np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2).repeat(each, 0))
    return np.asarray(np.concatenate(places), np.float32)


def faces_in(boxes: Floats, scores: Floats, places: Floats) -> Floats:
    """(896, 16) boxes, (896,) logits, (896, 2) anchors → (F, 8) left, top, right, bottom, eyes, 0…1 of the square.

    The surest come first. Boxes of one face are averaged by their scores (weighted non-maximum suppression).
    """
    sure = np.flatnonzero(scores >= np.log(SURE / (1 - SURE)))
    if not len(sure):
        return np.zeros((0, 8), np.float32)
    sure = sure[np.argsort(-scores[sure], kind="stable")]
    weights, raw, origin = 1 / (1 + np.exp(-scores[sure])), boxes[sure] / DETECTOR_PX, places[sure]
    centre, half = raw[:, :2] + origin, raw[:, 2:4] / 2
    eyes = raw[:, EYES] + np.tile(origin, 2)
    candidates, found = np.concatenate([centre - half, centre + half, eyes], 1), []
    while len(candidates):
        same = overlap(candidates, candidates[0]) > SAME_FACE
        same[0] = True
        found.append(np.average(candidates[same], 0, weights[same]))
        candidates, weights = candidates[~same], weights[~same]
    return np.asarray(found, np.float32)


def overlap(boxes: Floats, box: Floats) -> Floats:
    """(N,) intersection over union of (N, 4+) boxes with one."""
    low, high = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:4], box[2:4])
    shared = np.clip(high - low, 0, None).prod(1)
    both = (boxes[:, 2:4] - boxes[:, :2]).prod(1) + (box[2:4] - box[:2]).prod() - shared
    return np.asarray(shared / np.maximum(both, 1e-9), np.float32)


def region_of(face: Floats, place: Floats) -> Region:
    """(8,) one of ``faces_in``, (3,) the square's side and place in the picture → what the landmark network shall see."""
    side, shift = place[0], place[1:]
    low, high, right_eye, left_eye = (face.reshape(4, 2) * side + shift).astype(np.float32)
    x, y = left_eye - right_eye
    return Region((low + high) / 2, (high - low) * REGION_PER_BOX, float(np.arctan2(y, x)))
