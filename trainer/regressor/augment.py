"""Random changes of an example: turned, shifted, scaled, mirrored, and photographed badly; its labels follow exactly."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from engine.values import Coefficients, Floats, Picture
from trainer.data.mirror import Mirror
from trainer.data.similarity import Similarity
from trainer.regressor.examples import Example

TURN_RAD, SHIFT, SCALE = 0.12, 0.03, 0.04  # standard deviations
MIRRORED, GREY, COVERED, BLURRED, NOISY = 0.5, 0.04, 0.12, 0.3, 0.4  # how often


def augment(example: Example, rng: np.random.Generator, mirror: Mirror, size_px: int) -> Example:
    """A random variation of an example, its image resampled to ``size_px``."""
    if rng.random() < MIRRORED:
        example = mirrored(example, mirror)
    turn = float(rng.normal(0, TURN_RAD))
    scale = float(np.exp(rng.normal(0, SCALE)))
    x, y = rng.normal(0, SHIFT, 2)
    example = moved(example, Similarity(turn, scale, (float(x), float(y))), size_px)
    gains = np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.05, 3)).astype(np.float32)
    image = _photographed(example.image.astype(np.float32) * gains, rng)
    z = Coefficients.from_vector(example.z)
    light = (z.illumination.reshape(9, 3) * gains).reshape(-1)
    return replace(example, image=image, z=replace(z, illumination=light).vector())


def resized(example: Example, size_px: int) -> Example:
    """An example as it is, its image resampled to ``size_px``."""
    return moved(example, Similarity(0.0, 1.0, (0.0, 0.0)), size_px)


def mirrored(example: Example, mirror: Mirror) -> Example:
    """Left and right exchanged. The bases of identity and texture know no mirror: their coefficients are not trusted after it."""
    z = mirror.z(Coefficients.from_vector(example.z))
    trust = example.trust * np.array([0, 1, 0, 1, 1, 1], np.float32)
    return replace(example, image=example.image[:, ::-1], z=z.vector(), trust=trust, landmarks=mirror.points(example.landmarks))


def moved(example: Example, similarity: Similarity, size_px: int) -> Example:
    """The picture moved and resampled to ``size_px``."""
    z = similarity.z(Coefficients.from_vector(example.z))
    image, landmarks = similarity.picture(example.image, size_px), similarity.points(example.landmarks)
    return replace(example, image=image, z=z.vector(), landmarks=landmarks)


def _photographed(picture: Floats, rng: np.random.Generator) -> Picture:
    """(S, S, 3) 0…255 with a bad camera's blur, noise and grey, or something held in front."""
    size = picture.shape[0]
    if rng.random() < BLURRED:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.2) * size / 160), np.float32)
    if rng.random() < GREY:
        picture = np.repeat(picture.mean(2, keepdims=True), 3, 2)
    contrast = rng.normal(1, 0.12)
    picture = (picture - 110) * contrast + 110
    if rng.random() < NOISY:
        picture = picture + rng.standard_normal(picture.shape, np.float32) * rng.uniform(1, 10)
    if rng.random() < COVERED:
        side = rng.integers(size // 10, size // 3, 2)
        top, left = (int(rng.integers(0, size - s)) for s in side)
        picture[top : top + side[0], left : left + side[1]] = rng.uniform(0, 255, 3)
    return np.asarray(picture.clip(0, 255), np.uint8)
