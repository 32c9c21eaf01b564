"""The fast renderer against the readable one, and the rules of ``raster.py``."""

from __future__ import annotations

import numpy as np
import pytest

from engine.conventions import pixel_grid
from engine.errors import ConfigError
from engine.render import create_renderer
from engine.render.cuda import clip_space, drawable
from engine.render.raster import Indices
from engine.render.reference import ReferenceRenderer
from engine.values import Floats

SIZE = 64


def soup(seed: int, triangles: int = 300, spread: float = 0.4) -> tuple[Floats, Indices]:
    """Random triangles, many partly outside the picture, and some that must be left out."""
    rng = np.random.default_rng(seed)
    corners = rng.uniform(-1.4, 1.4, (triangles, 1, 3)) + rng.normal(size=(triangles, 3, 3)) * spread
    corners[..., 2] += 5
    screen = corners.reshape(-1, 3).astype(np.float32)
    screen[0] = np.nan
    screen[4, 2] = -1.0
    screen[7, 1] = np.inf
    screen[9:12] = screen[9]
    return screen, np.arange(3 * triangles, dtype=np.int32).reshape(-1, 3)


def plane(rows: int) -> tuple[Floats, Indices]:
    """A sheet of (rows − 1)² bent quads that covers the whole picture."""
    rng = np.random.default_rng(1)
    axis = np.linspace(-1.2, 1.2, rows)
    grid = np.stack(np.meshgrid(axis, axis), -1) + rng.uniform(-1, 1, (rows, rows, 2)) * 0.3 / rows
    screen = np.concatenate([grid.reshape(-1, 2), np.full((rows * rows, 1), 9.0)], 1).astype(np.float32)
    index = np.arange(rows * rows).reshape(rows, rows)
    a, b, c, d = (index[i : rows - 1 + i, j : rows - 1 + j].ravel() for i, j in ((0, 0), (1, 0), (1, 1), (0, 1)))
    return screen, np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)


@pytest.mark.parametrize("seed", range(6))
def test_fast_equals_reference(seed: int) -> None:
    screen, triangles = soup(seed, spread=(0.02, 0.1, 0.4)[seed % 3])
    fast, reference = create_renderer("cpu", SIZE), ReferenceRenderer(SIZE)
    seen, expected = fast.rasterise(screen, triangles), reference.rasterise(screen, triangles)
    np.testing.assert_array_equal(seen.triangle, expected.triangle)
    np.testing.assert_array_equal(seen.depth, expected.depth)
    np.testing.assert_array_equal(seen.weights, expected.weights)

    attributes = np.random.default_rng(seed).normal(size=(len(screen), 5)).astype(np.float32)
    np.testing.assert_allclose(
        fast.interpolate(seen, triangles, attributes), reference.interpolate(expected, triangles, attributes), atol=1e-6
    )


def test_a_mesh_has_no_cracks() -> None:
    screen, triangles = plane(23)
    raster = create_renderer("cpu", SIZE).rasterise(screen, triangles)
    assert (raster.triangle >= 0).all()


def test_interpolating_the_position_gives_the_pixel_centres() -> None:
    screen, triangles = plane(9)
    renderer = create_renderer("cpu", SIZE)
    grid = renderer.interpolate(renderer.rasterise(screen, triangles), triangles, screen[:, :2])
    np.testing.assert_allclose(grid, pixel_grid(SIZE), atol=2e-6)


def test_the_nearest_triangle_wins_whatever_the_order_and_winding() -> None:
    corners = np.array([[-1, -1], [3, -1], [-1, 3]], np.float32)
    screen = np.concatenate([np.c_[corners, np.full(3, depth)] for depth in (5, 3, 4)]).astype(np.float32)
    triangles = np.array([[0, 1, 2], [5, 4, 3], [6, 7, 8]], np.int32)
    raster = create_renderer("cpu", 8).rasterise(screen, triangles)
    assert (raster.triangle == 1).all()
    assert (raster.depth == 3).all()


def test_empty_pixels_are_marked() -> None:
    renderer = create_renderer("cpu", 8)
    triangles = np.zeros((0, 3), np.int32)
    raster = renderer.rasterise(np.zeros((0, 3), np.float32), triangles)
    assert (raster.triangle == -1).all()
    assert np.isposinf(raster.depth).all()
    assert not raster.weights.any()
    out = np.full((8, 8, 2), 7, np.float32)
    assert renderer.interpolate(raster, triangles, np.ones((1, 2), np.float32), out) is out
    assert not out.any()


def test_a_raster_is_overwritten_by_the_next_call_unless_copied() -> None:
    screen, triangles = plane(5)
    renderer = create_renderer("cpu", 8)
    first = renderer.rasterise(screen, triangles)
    kept = first.copy()
    second = renderer.rasterise(screen + np.float32(9), triangles)
    assert first.triangle is second.triangle
    assert (kept.triangle >= 0).all()
    assert (second.triangle < 0).all()


def test_other_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="cpu, cuda, got 'gpu'"):
        create_renderer("gpu", 8)  # type: ignore[arg-type]


def test_cuda_without_its_library_says_what_to_do() -> None:
    pytest.importorskip("torch")
    with pytest.raises(ConfigError, match=r'use "cpu"'):
        create_renderer("cuda", 8)


def test_the_cuda_renderer_is_handed_the_same_triangles() -> None:
    screen, triangles = soup(0)
    clip = clip_space(np.nan_to_num(screen))
    assert (np.abs(clip[:, 2]) <= 0.9 + 1e-6).all()
    assert (clip[:, 3] == 1).all()
    kept = drawable(screen, triangles)
    collapsed = (kept[:, :1] == kept).all(1)
    np.testing.assert_array_equal(np.flatnonzero(collapsed), [0, 1, 2])
