"""Torch's head equals numpy's, and labels follow their pictures through every augmentation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.conventions import place, project, rotation
from engine.head import HeadModel
from engine.regress.crops import carry_pose, tight_crop
from engine.values import EXPRESSION_NAMES, Coefficients, Floats, Square
from tests.trainer.regressor.conftest import make_example
from trainer.data.mirror import mirror_of
from trainer.data.similarity import Similarity
from trainer.regressor import geometry
from trainer.regressor.augment import augment, mirrored, moved
from trainer.regressor.examples import Example
from trainer.regressor.losses import DEFAULT_WEIGHTS, TERMS, SupervisedLoss, Targets, landmark_weights, weighted_sum


def landmarks_of(head: HeadModel, vector: Floats) -> Floats:
    z = Coefficients.from_vector(vector)
    return project(place(head.landmarks(head.shape(z.identity, z.expression, z.gaze)), z.pose))[:, :2]


@pytest.fixture(scope="module")
def example(head: HeadModel) -> Example:
    return make_example(head, 5, 96)


def test_rotation_is_that_of_the_conventions() -> None:
    angles = np.array([0.2, -0.4, 0.7], np.float32)
    np.testing.assert_allclose(geometry.rotation(torch.from_numpy(angles)[None])[0].numpy(), rotation(angles), atol=1e-6)


def test_landmarks_and_vertices_equal_the_engines(head: HeadModel, example: Example) -> None:
    points, vertices = geometry.HeadGeometry(head, every=400)(torch.from_numpy(example.z)[None])
    np.testing.assert_allclose(points[0, :468].numpy(), example.landmarks[:468], atol=1e-4)
    for iris in (slice(468, 473), slice(473, 478)):
        np.testing.assert_allclose(points[0, iris].numpy().mean(0), example.landmarks[iris].mean(0), atol=5e-3)
    assert vertices.shape[2] == 3


def test_the_loss_is_nothing_at_the_truth_and_has_gradients_elsewhere(head: HeadModel, example: Example) -> None:
    loss = SupervisedLoss(head)
    z = torch.from_numpy(example.z)[None]
    points = loss.geometry(z)[0]
    targets = Targets(z, torch.ones(1, 6), points)
    assert all(float(term) < 1e-3 for term in loss(z, targets).values())
    guess = (z + 0.1).requires_grad_()
    terms = loss(guess, targets)
    assert tuple(terms) == TERMS
    weighted_sum(terms, DEFAULT_WEIGHTS).backward()
    assert guess.grad is not None
    assert (guess.grad != 0).all()


def test_groups_that_are_not_trusted_do_not_count(head: HeadModel, example: Example) -> None:
    loss = SupervisedLoss(head)
    z = torch.from_numpy(example.z)[None]
    terms = loss(z + 1, Targets(z, torch.zeros(1, 6), torch.from_numpy(example.landmarks)[None]))
    assert all(float(terms[name]) == 0 for name in ("expression", "angle", "gaze", "identity", "vertices"))
    assert float(terms["landmarks"]) > 0


def test_lids_and_lips_weigh_more_and_the_mean_is_one() -> None:
    weights = landmark_weights()
    assert weights[13] > 3 * weights[10]
    assert weights.mean() == pytest.approx(1)


@pytest.mark.parametrize("turn", [-0.5, 0.0, 0.5])
def test_labels_follow_a_moved_picture(head: HeadModel, example: Example, turn: float) -> None:
    other = moved(example, Similarity(turn, 1.06, (0.05, -0.04)), 64)
    assert other.image.shape == (64, 64, 3)
    np.testing.assert_allclose(landmarks_of(head, other.z)[:468], other.landmarks[:468], atol=8e-3)


def test_a_turn_moves_pixels_as_it_moves_landmarks(example: Example) -> None:
    """A white disc in the picture stays under its landmark."""
    image = np.zeros((96, 96, 3), np.uint8)
    x, y = (int(v) for v in (example.landmarks[1] + 1) * 48)
    image[y - 2 : y + 3, x - 2 : x + 3] = 255
    turned = moved(Example(image, example.z, example.trust, example.landmarks, 0), Similarity(0.4, 1.0, (0.0, 0.0)), 96)
    rows, columns = np.nonzero(turned.image[..., 0] > 128)
    found = (np.array([columns.mean(), rows.mean()]) * 2 + 1) / 96 - 1
    np.testing.assert_allclose(found, turned.landmarks[1], atol=0.03)


def test_two_mirrors_give_the_example_back(head: HeadModel, example: Example) -> None:
    mirror = mirror_of(head)
    twice = mirrored(mirrored(example, mirror), mirror)
    np.testing.assert_array_equal(twice.image, example.image)
    np.testing.assert_allclose(twice.z, example.z)
    once = Coefficients.from_vector(mirrored(example, mirror).z)
    left, right = (EXPRESSION_NAMES.index(f"mouthSmile{side}") for side in ("Left", "Right"))
    assert once.expression[left] == Coefficients.from_vector(example.z).expression[right]


def test_a_mirrored_face_has_its_landmarks_where_the_mirrored_head_has_them(head: HeadModel, example: Example) -> None:
    z = Coefficients.from_vector(example.z)
    plain = Coefficients(np.zeros(80, np.float32), z.expression, z.texture, z.illumination, z.pose, z.gaze).vector()
    known = Example(example.image, plain, example.trust, landmarks_of(head, plain).astype(np.float32), 0)
    other = mirrored(known, mirror_of(head))
    assert np.abs(landmarks_of(head, other.z) - other.landmarks)[:468].mean() < 0.02


def test_augmenting_is_repeatable(head: HeadModel, example: Example) -> None:
    first, second = (augment(example, np.random.default_rng(3), mirror_of(head), 32) for _ in range(2))
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.z, second.z)


def test_a_pose_carried_to_another_crop_shows_the_same_points(head: HeadModel, example: Example) -> None:
    z = Coefficients.from_vector(example.z)
    points = head.landmarks(head.shape(z.identity, z.expression, z.gaze))
    wide = Square(130.0, 110.0, 400.0)
    crop = tight_crop(wide.to_pixels(example.landmarks))
    pose = carry_pose(points, z.pose, wide, crop)
    there = crop.to_pixels(project(place(points, pose))[:, :2])
    np.testing.assert_allclose(there, wide.to_pixels(example.landmarks), atol=0.5)
    np.testing.assert_allclose(carry_pose(points, pose, crop, wide), z.pose, atol=0.02)
