"""Cutting a person out: alpha, pure colours, and layers in other colours."""

from __future__ import annotations

import cv2
import numpy as np

from engine.cutout import person_alpha, pure_colours
from engine.generator.compose_fast import pack, recoloured
from engine.values import Floats, Picture


def disc(x: int, y: int, radius: int) -> Floats:
    return np.asarray(cv2.circle(np.zeros((128, 128), np.float32), (x, y), radius, (1.0,), -1))


def scene() -> tuple[Picture, Floats]:
    """A red disc before blue, at its edge mixed; its alpha."""
    alpha = cv2.GaussianBlur(disc(64, 64, 30), (0, 0), 1.5)[..., None]
    return (alpha * (200, 20, 20) + (1 - alpha) * (20, 20, 200)).astype(np.uint8), alpha[..., 0]


def test_the_coarse_matte_is_drawn_to_the_pictures_edges() -> None:
    picture, alpha = scene()
    coarse = cv2.GaussianBlur(disc(64, 64, 30), (0, 0), 8)
    found = person_alpha(picture, coarse, (64, 64))
    assert np.abs(found - alpha).mean() < 0.8 * np.abs(coarse - alpha).mean()


def test_other_people_are_left_out() -> None:
    picture, _ = scene()
    soft = np.maximum(disc(64, 64, 30), disc(8, 8, 6))
    found = person_alpha(picture, soft, (64, 64))
    assert found[64, 64] == 1
    assert found[:12, :12].max() == 0


def test_what_shone_through_is_gone_from_the_colours() -> None:
    picture, alpha = scene()
    pure = pure_colours(picture, alpha)
    edge = (alpha > 0.05) & (alpha < 0.95)
    assert np.abs(picture[edge].astype(int) - (200, 20, 20)).max() > 100
    assert np.abs(pure[edge].astype(int) - (200, 20, 20)).max() < 25


def test_recoloured_layers_are_those_that_pack_makes() -> None:
    random = np.random.default_rng(1)
    one, two, plate, other = (random.integers(0, 256, (32, 32, 3), np.uint8) for _ in range(4))
    matte = random.random((32, 32), np.float32)
    fast, whole = recoloured(pack(one, matte, plate), two, other), pack(two, matte, other)
    assert np.array_equal(fast.matte, whole.matte)
    assert np.array_equal(fast.plate, whole.plate)
    assert np.array_equal(fast.front, whole.front)
