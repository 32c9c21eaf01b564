"""Spectacles, beards, light and a bad camera change the picture and none of the labels that they leave true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.animator import Animator
from engine.head import HeadModel
from engine.landmark_indices import EYE_CORNERS, INNER_LIPS, OUTER_LIPS
from engine.portrait import load_portrait
from engine.values import Floats, Picture
from trainer.data.mirror import mirror_of
from trainer.regressor.accessories import plane_of_lenses, with_beard, with_spectacles
from trainer.regressor.augment import augment, dressed
from trainer.regressor.examples import Example
from trainer.regressor.make import from_portrait
from trainer.regressor.webcam import lit_from_a_side, photographed

PORTRAIT = Path(__file__).parents[3] / "engine" / "assets" / "portrait.jpg"


@pytest.fixture(scope="module")
def example() -> Example:
    """A photograph in another moment."""
    with Animator("onnxruntime", fixed=True) as animator:
        return next(iter(from_portrait(animator, load_portrait(PORTRAIT), 0, 1, 3)))


def pixels(example: Example) -> Floats:
    return np.asarray((example.landmarks + 1) * example.image.shape[0] / 2, np.float32)


def changed(before: Picture, after: Picture, at: Floats) -> Floats:
    """How much the colours at some pixels (N, 2) differ, in levels."""
    x, y = at.round().astype(int).T
    return np.abs(before[y, x].astype(float) - after[y, x]).max(1)


def test_spectacles_frame_both_eyes_and_leave_the_mouth_alone(example: Example) -> None:
    points = pixels(example)
    for seed in range(4):
        worn = with_spectacles(example.image, points, np.random.default_rng(seed))
        difference = np.abs(worn.astype(int) - example.image).max(2)
        assert (difference > 12).sum() > 60
        rows = np.nonzero((difference > 2).any(1))[0]
        assert rows.max() < points[list(OUTER_LIPS), 1].min()
        for corners in EYE_CORNERS:
            middle = points[list(corners), 0].mean()
            reach = plane_of_lenses(points).unit_px
            near = difference[:, int(middle - reach) : int(middle + reach)]
            assert (near > 12).sum() > 20


def test_spectacles_turn_with_the_head() -> None:
    head = np.zeros((478, 2), np.float32)
    head[33], head[133], head[362], head[263], head[2], head[1] = (60, 80), (80, 80), (112, 80), (132, 80), (96, 118), (96, 105)
    facing = plane_of_lenses(head)
    np.testing.assert_allclose(facing.points(np.array([[-1.0, 0], [1, 0]])), [(70, 80), (122, 80)], atol=0.01)
    head[1] = (106, 105)  # the nose points aside: the lenses, which stand out, go with it
    assert plane_of_lenses(head).origin[0] > facing.origin[0] + 2


def test_a_beard_covers_the_chin_and_not_the_lips(example: Example) -> None:
    points, chin = pixels(example), []
    for seed in range(5):
        bearded = with_beard(example.image, points, np.random.default_rng(seed))
        assert np.median(changed(example.image, bearded, points[list(INNER_LIPS)])) < 3
        chin.append(changed(example.image, bearded, points[[200, 199, 175]]).max())
        assert changed(example.image, bearded, points[[33, 133, 362, 263, 10]]).max() == 0
    assert np.median(chin) > 8


def test_light_comes_from_one_side() -> None:
    grey = np.full((64, 64, 3), 100, np.float32)
    lit = lit_from_a_side(grey, np.random.default_rng(0))
    assert lit.max() > 105
    assert lit.min() < 95
    assert abs(float(np.log(lit / 100).mean())) < 0.02


@pytest.mark.parametrize("seed", range(3))
def test_a_webcam_spoils_a_picture_within_limits(example: Example, seed: int) -> None:
    taken = photographed(example.image.astype(np.float32), np.random.default_rng(seed))
    assert taken.dtype == np.uint8
    assert 1 < np.abs(taken.astype(float) - example.image).mean() < 90
    correlation = np.corrcoef(taken.mean(2).ravel(), example.image.mean(2).ravel())[0, 1]
    assert correlation > 0.5


def test_an_example_is_varied_and_its_labels_follow(example: Example, head: HeadModel) -> None:
    mirror = mirror_of(head)
    varied = [augment(example, np.random.default_rng(seed), mirror, 160) for seed in range(8)]
    np.testing.assert_array_equal(varied[3].image, augment(example, np.random.default_rng(3), mirror, 160).image)
    assert varied[0].image.shape == (160, 160, 3)
    assert len({one.image.tobytes() for one in varied}) == len(varied)
    # γ of a light that nine harmonics cannot hold is not believed
    assert {float(one.trust[3]) for one in varied} == {0.0, float(example.trust[3])}


def test_what_is_worn_moves_no_label(example: Example) -> None:
    worn = [dressed(example, np.random.default_rng(seed)) for seed in range(20)]
    assert 1 <= sum(not np.array_equal(one.image, example.image) for one in worn) <= 15
    for one in worn:
        np.testing.assert_array_equal(one.z, example.z)
        np.testing.assert_array_equal(one.landmarks, example.landmarks)
