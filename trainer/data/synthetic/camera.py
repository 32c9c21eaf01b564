"""The camera of a synthetic picture: where it frames the head, and what a webcam does to the picture."""

from __future__ import annotations

import cv2
import numpy as np

from engine.conventions import CAMERA_DISTANCE_DM, FOCAL, place, project
from engine.crop import SQUARE_LIFT, SQUARE_PER_FACE
from engine.values import Floats, Picture
from trainer.data.synthetic.noise import between, chance

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


def degrade(rng: np.random.Generator, picture: Floats) -> Picture:
    """(N, N, 3) 0…1 → uint8, as one of many cameras would deliver it."""
    size = picture.shape[0]
    if chance(rng, 0.35):
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), size / 256 * between(rng, 0.3, 1.4)), np.float32)
    if chance(rng, 0.12):
        picture = _moved(rng, picture)
    if chance(rng, 0.3):
        small = int(size * between(rng, 0.35, 0.9))
        reduced = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
        way = cv2.INTER_LINEAR if chance(rng, 0.5) else cv2.INTER_CUBIC
        picture = np.asarray(cv2.resize(reduced, (size, size), interpolation=way), np.float32)
    picture = _developed(rng, picture)
    picture = picture + _noise(rng, size)
    if chance(rng, 0.25):
        soft = cv2.GaussianBlur(picture, (0, 0), 1.0)
        picture = picture + between(rng, 0.2, 1.0) * (picture - soft)
    done = np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)
    return _compressed(rng, done) if chance(rng, 0.6) else done


def _moved(rng: np.random.Generator, picture: Floats) -> Floats:
    length = max(3, int(picture.shape[0] * between(rng, 0.01, 0.035)))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    middle, reach = (length - 1) / 2, (length - 1) / 2
    ends = [(round(middle + s * reach * np.cos(angle)), round(middle + s * reach * np.sin(angle))) for s in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], (1.0,))
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), np.float32)


def _developed(rng: np.random.Generator, picture: Floats) -> Floats:
    """Gamma, contrast, saturation. White balance and exposure are part of the light, and so of γ."""
    picture = np.clip(picture, 0, None) ** np.float32(np.exp(rng.normal(0, 0.1)))
    grey = picture.mean(-1, keepdims=True)
    saturation = 0.0 if chance(rng, 0.02) else max(0.3, rng.normal(1, 0.15))
    picture = grey + saturation * (picture - grey)
    contrast = rng.normal(1, 0.1)
    return np.asarray(0.45 + contrast * (picture - 0.45) + rng.normal(0, 0.02), np.float32)


def _noise(rng: np.random.Generator, size: int) -> Floats:
    """(size, size, 3) sensor noise, coarser where a camera has smoothed it."""
    strength = rng.exponential(0.012)
    grain = 1 if chance(rng, 0.5) else 2
    small = -(-size // grain)
    noise = rng.standard_normal((small, small, 3), np.float32) * np.float32(strength)
    return np.asarray(noise if grain == 1 else cv2.resize(noise, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)


def _compressed(rng: np.random.Generator, picture: Picture) -> Picture:
    quality = int(rng.integers(35, 96))
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
