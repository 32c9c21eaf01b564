"""The compiled linear system against the camera of the conventions and numeric derivatives."""

from __future__ import annotations

import numpy as np
import pytest

from engine.conventions import place, project
from engine.regress.landmarks import _step
from engine.regress.system import linear_system, pose_only
from engine.values import Floats

POSE = np.array([0.1, 0.35, -0.15, 0.2, -0.1, -1.5], np.float32)
COUNT, COEFFICIENTS, STEP = 40, 7, 1e-2


@pytest.fixture
def points() -> Floats:
    return np.random.default_rng(0).normal(size=(COUNT, 3)).astype(np.float32)


def projected(points: Floats, pose: Floats) -> Floats:
    """(2 N,) x and y of each point in turn."""
    return project(place(points, pose))[:, :2].reshape(-1)


def test_the_residual_is_what_is_seen_less_what_is_projected(points: Floats) -> None:
    seen = np.random.default_rng(1).normal(size=(COUNT, 3)).astype(np.float32)
    residual, J = linear_system(points, seen, POSE, pose_only(COUNT))
    np.testing.assert_allclose(residual, seen[:, :2].reshape(-1) - projected(points, POSE), atol=2e-6)
    assert J.shape == (2 * COUNT, 6)


def test_its_derivative_is_the_numeric_one(points: Floats) -> None:
    basis = np.random.default_rng(2).normal(size=(COUNT, 3, COEFFICIENTS)).astype(np.float32)
    _, J = linear_system(points, np.zeros((COUNT, 2), np.float32), POSE, basis)
    for column in range(6):
        step = np.zeros(6, np.float32)
        step[column] = STEP
        slope = (projected(points, _step(POSE, step)) - projected(points, _step(POSE, -step))) / (2 * STEP)
        np.testing.assert_allclose(J[:, column], slope, atol=3e-3)
    for column in range(COEFFICIENTS):
        moved = basis[..., column] * np.float32(STEP)
        slope = (projected(points + moved, POSE) - projected(points - moved, POSE)) / (2 * STEP)
        np.testing.assert_allclose(J[:, 6 + column], slope, atol=3e-3)
