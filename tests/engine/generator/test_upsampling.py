"""What lies between a photograph's pixels, and how much fine detail a moved photograph keeps."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.conventions import pixel_grid
from engine.generator.compose_reference import sample_cubic
from engine.generator.upsampling import upsampled
from engine.values import Floats, Picture
from tests.engine.generator import scenes


def texture(size: int) -> Picture:
    """Grain as fine as a lens lets through."""
    grain = np.random.default_rng(0).normal(0, 60, (3 * size, 3 * size, 3)).astype(np.float32)
    small = cv2.resize(cv2.GaussianBlur(grain, (0, 0), 1.5), (size, size), interpolation=cv2.INTER_AREA)
    return np.clip(128 + small, 0, 255).astype(np.uint8)


def detail(picture: Picture | Floats) -> float:
    return float(np.square(cv2.Laplacian(picture.astype(np.float32), cv2.CV_32F)[8:-8, 8:-8]).mean())


def moved(picture: Picture, x_px: float, y_px: float) -> Floats:
    size = picture.shape[0]
    return sample_cubic(picture, pixel_grid(size) + np.float32(2 / size) * np.array([x_px, y_px], np.float32))


def test_every_other_point_is_a_pixel() -> None:
    picture = scenes.photograph(64)
    points = upsampled(picture)
    assert np.array_equal(points[::2, ::2], picture)
    assert np.array_equal(points[-1, ::2], picture[-1])
    assert np.array_equal(upsampled(picture.transpose(1, 0, 2).copy()).transpose(1, 0, 2)[::2], points[::2])


@pytest.mark.parametrize("move", [(0.5, 0.5), (0.25, 0.25), (0.5, 0.0), (0.3, -0.4)])
def test_a_texture_keeps_its_fine_detail_wherever_it_goes(move: tuple[float, float]) -> None:
    picture = texture(128)
    assert detail(moved(picture, *move)) == pytest.approx(detail(picture), rel=0.1)


def test_a_photograph_there_and_back_is_the_photograph() -> None:
    picture = scenes.photograph(128)
    there = np.rint(moved(picture, 0.5, -0.5)).astype(np.uint8)
    assert scenes.decibels(moved(there, -0.5, 0.5)[12:-12, 12:-12], picture[12:-12, 12:-12]) > 38


def test_an_edge_does_not_ring() -> None:
    picture = np.full((64, 64, 3), 60, np.uint8)
    picture[:, 32:] = 190
    between = moved(picture, 0.5, 0.0)
    assert (between[:, :29] == 60).all()
    assert (between[:, 34:] == 190).all()
    assert between.min() >= 60 - 0.15 * 130
    assert between.max() <= 190 + 0.15 * 130
