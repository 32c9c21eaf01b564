"""The compiled vertex loops against the readable functions that they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from engine.conventions import place, project
from engine.render.lighting import shade
from engine.values import Floats
from engine.warp.mesh import facing_camera
from engine.warp.photograph import SURE_FACING
from engine.warp.vertices import DOUBT, TURN, VertexAppearance, dress, move

HOME, POSE = (np.array(pose, np.float32) for pose in ((0.1, -0.2, 0.05, 0.1, 0, -2), (-0.1, 0.4, 0.2, 0.2, -0.1, -1.5)))
COUNT = 500


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def placed_at(points: Floats, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """follow, placed and screen of points moved from ``HOME`` to ``POSE``, drawn 0.05 deeper."""
    follow = rng.choice([0, 0.3, 1], len(points)).astype(np.float32)
    placed, screen = np.empty_like(points), np.empty_like(points)
    move(points, follow, np.full(len(points), 0.05, np.float32), POSE, HOME, placed, screen)
    return follow, placed, screen


def test_vertices_go_their_share_of_the_way(rng: np.random.Generator) -> None:
    points = rng.normal(size=(COUNT, 3)).astype(np.float32)
    follow, placed, screen = placed_at(points, rng)
    wanted = follow[:, None] * place(points, POSE) + (1 - follow[:, None]) * place(points, HOME)
    np.testing.assert_allclose(placed, wanted, atol=2e-6)
    np.testing.assert_allclose(screen, project(wanted) + np.array([0, 0, 0.05]), atol=3e-6)


def test_what_vertices_show_is_where_they_were_seen_lit(rng: np.random.Generator) -> None:
    points = rng.normal(size=(COUNT, 3)).astype(np.float32)
    _, placed, _ = placed_at(points, rng)
    normals = rng.normal(size=(COUNT, 3))
    normals = (normals / np.linalg.norm(normals, axis=1, keepdims=True)).astype(np.float32)
    uv, stretched = rng.uniform(-1, 1, (2, COUNT, 2)).astype(np.float32)
    before, albedo = rng.uniform(-1, 1, COUNT).astype(np.float32), rng.uniform(size=(COUNT, 3)).astype(np.float32)
    light = rng.normal(0.3, 0.3, 27).astype(np.float32)
    attributes = np.full((COUNT, 6), 7, np.float32)
    dress(VertexAppearance(uv, stretched, before, albedo), placed, normals, light, attributes)

    facing = facing_camera(placed, normals)
    share = np.clip((SURE_FACING - before) / DOUBT, 0, 1) * np.clip((facing - before) / TURN, 0, 1)
    np.testing.assert_allclose(attributes[:, :2], uv + share[:, None] * (stretched - uv), atol=2e-6)
    np.testing.assert_allclose(attributes[:, 3:], shade(albedo, normals, light) * 255, atol=1e-3)
    assert (attributes[:, 2] == 7).all()  # not its business
