"""A picture as a webcam would have taken it: light from a side, blur, too few pixels, noise, a tone curve, compression."""

from __future__ import annotations

import cv2
import numpy as np

from engine.values import Floats, Picture

LIT, BLURRED, SHAKEN, COARSE, NOISY, GREY, COVERED, COMPRESSED = 0.4, 0.25, 0.1, 0.3, 0.5, 0.05, 0.12, 0.5  # how often


def lit_from_a_side(picture: Floats, rng: np.random.Generator) -> Floats:
    """(S, S, 3) brighter and of another tint on one side, as by a window or a screen."""
    ramp = np.linspace(-1, 1, picture.shape[0], dtype=np.float32)
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.7)
    side = np.float32(np.cos(angle)) * ramp[None, :, None] + np.float32(np.sin(angle)) * ramp[:, None, None]
    tint = (strength * (1 + rng.normal(0, 0.25, 3))).astype(np.float32)
    return np.asarray(picture * np.exp(side * tint), np.float32)


def photographed(picture: Floats, rng: np.random.Generator) -> Picture:
    """(S, S, 3) 0…255, maybe beyond → what a bad camera makes of it; at times something is held in front."""
    size = picture.shape[0]
    if rng.random() < BLURRED:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.3) * size / 160), np.float32)
    if rng.random() < SHAKEN:
        picture = _shaken(picture, rng)
    if rng.random() < COARSE:
        small = round(size * float(rng.uniform(0.35, 0.9)))
        fewer = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
        picture = np.asarray(cv2.resize(fewer, (size, size)), np.float32)
    contrast = rng.normal(1, 0.14)
    picture = (picture - 110) * contrast + 110
    if rng.random() < GREY:
        picture = np.repeat(picture.mean(2, keepdims=True), 3, 2)
    if rng.random() < NOISY:
        picture = picture + _noise(size, rng)
    if rng.random() < COVERED:
        side = rng.integers(size // 10, size // 3, 2)
        top, left = (int(rng.integers(0, size - s)) for s in side)
        picture[top : top + side[0], left : left + side[1]] = rng.uniform(0, 255, 3)
    levels = np.asarray(picture.clip(0, 255), np.uint8)
    return _compressed(levels, int(rng.integers(20, 90))) if rng.random() < COMPRESSED else levels


def _shaken(picture: Floats, rng: np.random.Generator) -> Floats:
    """Blurred along a line, as by motion."""
    length = int(rng.integers(2, 6)) | 1
    kernel = np.zeros((length, length), np.float32)
    x, y = np.round(np.array([np.cos(angle := rng.uniform(0, np.pi)), np.sin(angle)]) * length / 2).astype(int)
    centre = length // 2
    cv2.line(kernel, (centre - x, centre - y), (centre + x, centre + y), 1.0)
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), np.float32)


def _noise(size: int, rng: np.random.Generator) -> Floats:
    """(S, S, 3): fine in brightness, blotches of two pixels in colour."""
    fine = rng.standard_normal((size, size, 1), np.float32) * rng.uniform(1, 10)
    blotches = rng.standard_normal((size // 2, size // 2, 3), np.float32) * rng.uniform(0, 6)
    return np.asarray(fine + cv2.resize(blotches, (size, size)), np.float32)


def _compressed(picture: Picture, quality: int) -> Picture:
    """JPEG and back."""
    coded = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.cvtColor(np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB), np.uint8)
