"""Edges where one surface hides another: smooth where the flow jumps, untouched where it does not."""

from __future__ import annotations

import numpy as np
import pytest

from engine.generator.edges import EdgeSmoother
from engine.generator.edges_reference import smooth_edges
from engine.values import Picture

SIZE = 64


@pytest.fixture(scope="module")
def smoother() -> EdgeSmoother:
    return EdgeSmoother(SIZE)


@pytest.fixture
def picture() -> Picture:
    return np.random.default_rng(3).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


def test_the_fast_smoother_is_the_readable_one(smoother: EdgeSmoother, picture: Picture) -> None:
    rng = np.random.default_rng(4)
    flow = np.cumsum(rng.normal(0, 1.2 / SIZE, (SIZE, SIZE, 2)), 1).astype(np.float32)
    wanted = smooth_edges(picture, flow)
    changed = (wanted != picture).any(2).mean()
    assert 0.2 < changed < 0.95
    smoother.smooth(picture, flow)
    assert np.abs(picture.astype(int) - wanted).max() <= 1  # float32 may round otherwise
    assert (picture == wanted).mean() > 0.99


def test_nothing_changes_at_rest_nor_where_surfaces_are_only_stretched(smoother: EdgeSmoother, picture: Picture) -> None:
    before = picture.copy()
    smoother.smooth(picture, np.full((SIZE, SIZE, 2), 1e-7, np.float32))
    stretched = np.zeros((SIZE, SIZE, 2), np.float32)
    stretched[..., 0] = -np.linspace(-1, 1, SIZE, endpoint=False)  # every pixel shows one and the same place
    smoother.smooth(picture, stretched)
    np.testing.assert_array_equal(picture, before)


def test_a_jump_makes_the_edge_soft_on_both_sides_only(smoother: EdgeSmoother) -> None:
    picture = np.zeros((SIZE, SIZE, 3), np.uint8)
    picture[:, 32:] = 200
    flow = np.zeros((SIZE, SIZE, 2), np.float32)
    flow[:, 32:, 1] = 0.5
    smoother.smooth(picture, flow)
    assert list(picture[20, 29:35, 0]) == [0, 0, 50, 150, 200, 200]
