"""How far a drawn picture is from the true one, by area."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.landmark_indices import LEFT_EYE, OUTER_LIPS, RIGHT_EYE
from engine.values import FACE_POINTS, Floats, Mask, Picture, Square
from trainer.data.synthetic import MaskLabel
from trainer.geometry.people import RenderedModel, TruePicture

FACE_LABELS = (MaskLabel.SKIN, MaskLabel.EYES, MaskLabel.MOUTH)
BODY_LABELS = (MaskLabel.BACKGROUND, MaskLabel.NECK, MaskLabel.BODY)
AROUND_EYES, AROUND_MOUTH = 0.35, 0.25  # of an eye's and of the mouth's width, that belongs to the area
LEAST_PX = 60  # of an area, to be counted


def areas(model: RenderedModel, now: TruePicture, square: Square, size_px: int) -> dict[str, Mask]:
    """Area → (S, S) in the square of a true picture.

    person: all of the person; head: without neck and body; face: within the landmarks; new skin: what the portrait does not show;
    mouth, eyes: with a margin; uncovered: background where the person was.
    """
    label, before = _cut(now.mask, square, size_px), _cut(model.portrait.mask, square, size_px)
    points = square.normalise(now.landmarks)
    points = (points + 1) * (size_px / 2)
    face = _hull(points[:FACE_POINTS], size_px, 0) & np.isin(label, FACE_LABELS)
    new = _cut(model.newly_seen(now).astype(np.uint8), square, size_px) > 0
    eyes = [_hull(points[list(eye)], size_px, AROUND_EYES) for eye in (LEFT_EYE, RIGHT_EYE)]
    return {
        "person": label != MaskLabel.BACKGROUND,
        "head": ~np.isin(label, BODY_LABELS),
        "face": face,
        "new skin": new & (label == MaskLabel.SKIN),
        "mouth": _hull(points[list(OUTER_LIPS)], size_px, AROUND_MOUTH) & face,
        "eyes": (eyes[0] | eyes[1]) & face,
        "uncovered": (label == MaskLabel.BACKGROUND) & (before != MaskLabel.BACKGROUND),
    }


def error_map(drawn: Picture, true: Picture) -> Floats:
    """(S, S) mean absolute difference of the channels [levels]."""
    return np.asarray(np.abs(drawn.astype(np.float32) - true).mean(2))


def mean_errors(error: Floats, within: dict[str, Mask]) -> dict[str, float]:
    """Area → mean error [levels]; areas that are hardly there are left out."""
    return {name: float(error[mask].mean()) for name, mask in within.items() if np.count_nonzero(mask) >= LEAST_PX}


def fine_detail(picture: Picture, within: Mask) -> float:
    """Mean square of the Laplacian of the picture's light [levels²] in (S, S), three pixels and more inside its edge."""
    inside = cv2.erode(within.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    light = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(np.square(cv2.Laplacian(light, cv2.CV_32F)[inside]).mean()) if inside.any() else 0.0


def _hull(points: Floats, size_px: int, margin: float) -> Mask:
    """(S, S) the convex hull of points (K, 2) [px], wider by ``margin`` of its width."""
    out = np.zeros((size_px, size_px), np.uint8)
    cv2.fillConvexPoly(out, cv2.convexHull(points.round().astype(np.int32)), (1,))
    wide = int(margin * float(np.ptp(points[:, 0])))
    return np.asarray(cv2.dilate(out, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * wide + 1, 2 * wide + 1))) > 0)


def _cut(mask: NDArray[np.uint8], square: Square, size_px: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.warpAffine(mask, square.matrix(size_px), (size_px, size_px), flags=cv2.INTER_NEAREST), np.uint8)
