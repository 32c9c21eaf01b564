"""The values and the conventions: orders, signs, inverses."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.conventions import angles, pixel_grid, place, project, rotation
from engine.values import COEFFICIENTS, EXPRESSION_NAMES, Coefficients, Square


def test_z_keeps_the_papers_order() -> None:
    vector = np.arange(COEFFICIENTS, dtype=np.float32)
    z = Coefficients.from_vector(vector)
    np.testing.assert_array_equal(z.vector(), vector)
    assert [len(part) for part in (z.identity, z.expression, z.texture, z.illumination, z.pose, z.gaze)] == [80, 64, 80, 27, 6, 4]


def test_a_z_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(261,\), got \(260,\)"):
        Coefficients.from_vector(np.zeros(260, np.float32))


def test_there_are_52_expressions_without_repetition() -> None:
    assert len(set(EXPRESSION_NAMES)) == 52


@pytest.mark.parametrize("pose", [(0.3, -0.5, 0.2), (-0.4, 1.2, -1.0), (0, 0, 0)])
def test_angles_inverts_rotation(pose: tuple[float, float, float]) -> None:
    np.testing.assert_allclose(angles(rotation(np.array(pose, np.float32))), pose, atol=1e-5)


@pytest.mark.parametrize(
    ("angle", "moves"),
    [
        pytest.param((0.2, 0, 0), (0, 1), id="pitch looks down"),
        pytest.param((0, 0.2, 0), (1, 0), id="yaw turns right"),
    ],
)
def test_the_nose_goes_where_the_convention_says(angle: tuple[float, float, float], moves: tuple[int, int]) -> None:
    nose = np.array([[0, 0, 1]], np.float32)
    pose = np.array([*angle, 0, 0, 0], np.float32)
    before, after = project(nose)[0, :2], project(place(nose, pose))[0, :2]
    np.testing.assert_array_equal(np.sign((after - before).round(3)), moves)


def test_a_positive_roll_is_anticlockwise() -> None:
    ear = np.array([[1, 0, 0]], np.float32)  # the person's left, right in the picture
    assert project(place(ear, np.array([0, 0, 0.3, 0, 0, 0], np.float32)))[0, 1] < 0


def test_a_squares_matrix_and_its_coordinates_agree() -> None:
    square = Square(40.0, 30.0, 20.0)
    picture = np.zeros((60, 80), np.float32)
    picture[30:34, 44:48] = 1
    crop = cv2.warpAffine(picture, square.matrix(200), (200, 200))
    rows, columns = np.nonzero(crop > 0.5)
    centre = np.array([[columns.mean() + 0.5, rows.mean() + 0.5]]) / 100 - 1
    np.testing.assert_allclose(centre, square.normalise(np.array([[46.0, 32.0]], np.float32)), atol=0.02)
    np.testing.assert_allclose(square.to_pixels(square.normalise(np.array([[46.0, 32.0]], np.float32))), [[46, 32]], atol=1e-4)


def test_the_pixel_grid_is_centred() -> None:
    grid = pixel_grid(4)
    np.testing.assert_allclose(grid[0, :, 0], [-0.75, -0.25, 0.25, 0.75])
    np.testing.assert_allclose(grid.mean((0, 1)), 0, atol=1e-7)
