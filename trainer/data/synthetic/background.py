"""Backgrounds: plain walls, gradients, blurred rooms, noise, and pictures of the user's own."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from engine.values import Floats, Picture
from trainer.data.synthetic.noise import between, chance, smooth_noise

_DRAWN_PX = 128  # backgrounds are soft: they are drawn small


def draw_background(rng: np.random.Generator, size: int, pictures: Sequence[Picture]) -> Floats:
    """(size, size, 3) sRGB 0…1."""
    if pictures and chance(rng, 0.5):
        return _cut_out(rng, size, pictures[int(rng.integers(len(pictures)))])
    kinds = (_wall, _room, _clouds, _room)
    small = kinds[rng.integers(len(kinds))](rng)
    if chance(rng, 0.7):
        small = np.asarray(cv2.GaussianBlur(small, (0, 0), between(rng, 0.5, 6)), np.float32)
    large = cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR)
    grain = between(rng, 0, 0.02) * smooth_noise(rng, (size, size), (64, 64))[..., None]
    return np.asarray(np.clip(large + grain, 0, 1), np.float32)


def _colour(rng: np.random.Generator) -> Floats:
    """Mostly greys, browns and other quiet colours, seldom a loud one."""
    grey, chroma = rng.beta(1.2, 1.0), rng.choice([0.025, 0.12], p=[0.8, 0.2])
    warm = rng.normal(0.02, 0.05) * np.array([1, 0.2, -1])
    return np.asarray(np.clip(grey + warm + rng.normal(0, 1, 3) * chroma, 0, 1), np.float32)


def _wall(rng: np.random.Generator) -> Floats:
    """A wall with light falling off to one side."""
    v, u = np.mgrid[:_DRAWN_PX, :_DRAWN_PX].astype(np.float32) / _DRAWN_PX
    angle = rng.uniform(0, 2 * np.pi)
    ramp = (np.cos(angle) * u + np.sin(angle) * v)[..., None]
    first = _colour(rng)
    second = first * rng.uniform(0.5, 1.1) if chance(rng, 0.7) else _colour(rng)
    return np.asarray(first + (second - first) * ramp, np.float32)


def _room(rng: np.random.Generator) -> Floats:
    """Shapes in front of a wall: shelves, doors, lamps, plants, people far away."""
    picture = _wall(rng)
    for _ in range(rng.integers(3, 30)):
        colour = [float(c) for c in _colour(rng)]
        x, y = (int(v) for v in rng.integers(-20, _DRAWN_PX, 2))
        w, h = (int(v) for v in rng.integers(4, 70, 2))
        if chance(rng, 0.65):
            cv2.rectangle(picture, (x, y), (x + w, y + h), colour, -1 if chance(rng, 0.8) else 2)
        else:
            cv2.ellipse(picture, (x, y), (w // 2, h // 2), between(rng, 0, 180), 0, 360, colour, -1)
    return picture


def _clouds(rng: np.random.Generator) -> Floats:
    """Noise of several sizes between two colours: foliage, fabric, marble."""
    field = sum(smooth_noise(rng, (_DRAWN_PX, _DRAWN_PX), (n, n)) * between(rng, 0, 1) for n in (3, 8, 24, 64))
    first, second = _colour(rng), _colour(rng)
    return np.asarray(first + (second - first) * np.clip(0.5 + 0.4 * np.asarray(field), 0, 1)[..., None], np.float32)


def _cut_out(rng: np.random.Generator, size: int, picture: Picture) -> Floats:
    """A random part of a picture, sometimes mirrored, sometimes out of focus."""
    height, width = picture.shape[:2]
    side = int(min(height, width) * rng.uniform(0.4, 1))
    top, left = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
    part = cv2.resize(picture[top : top + side, left : left + side], (size, size), interpolation=cv2.INTER_AREA)
    part = part[:, ::-1] if chance(rng, 0.5) else part
    if chance(rng, 0.6):
        part = cv2.GaussianBlur(part, (0, 0), size / 512 * between(rng, 1, 12))
    return np.asarray(part, np.float32) / 255
