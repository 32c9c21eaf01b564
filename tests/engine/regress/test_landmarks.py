"""Landmarks to coefficients: on heads whose coefficients are known, and on real faces made to move."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.animator import Animator, PreparedPortrait
from engine.conventions import place, project
from engine.crop import square_around
from engine.head import HeadModel, load_head
from engine.portrait import Portrait
from engine.regress.landmarks import (
    LandmarkBasis,
    LandmarkRegressor,
    calibrated,
    fit_expression,
    fit_frame,
    fit_identity,
    gaze_of,
    gaze_seen,
    initial_pose,
    refine_pose,
)
from engine.track import Tracker
from engine.values import EXPRESSION_NAMES, Coefficients, Floats, Square

POSE = np.array([0.1, 0.35, -0.15, 0.2, -0.1, -5.0], np.float32)
JAW = EXPRESSION_NAMES.index("jawOpen")


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_head()


@pytest.fixture(scope="module")
def basis(head: HeadModel) -> LandmarkBasis:
    return LandmarkBasis.of(head)


def seen(points: Floats, pose: Floats) -> Floats:
    """Landmarks in crop coordinates as the tracker gives them: x, y, and depth in the same unit, larger = nearer."""
    screen = project(place(points, pose))
    return np.stack([screen[:, 0], screen[:, 1], -(screen[:, 2] - screen[:, 2].mean()) * 9.06 / screen[:, 2].mean()], 1)


def test_the_basis_is_the_head_at_its_landmarks(head: HeadModel, basis: LandmarkBasis) -> None:
    rng = np.random.default_rng(0)
    alpha, beta = rng.normal(size=80).astype(np.float32), rng.uniform(0, 1, 64).astype(np.float32)
    whole = head.landmarks(head.shape(alpha, beta, np.zeros(4, np.float32)))
    np.testing.assert_allclose(basis.shape(alpha, beta)[:468], whole[:468], atol=1e-4)


def test_the_pose_is_found_exactly(basis: LandmarkBasis) -> None:
    points = basis.shape(np.zeros(80, np.float32), np.zeros(64, np.float32))
    weights = basis.stillness
    start = initial_pose(points, seen(points, POSE), weights)
    np.testing.assert_allclose(start[:3], POSE[:3], atol=0.06)
    np.testing.assert_allclose(refine_pose(points, seen(points, POSE), start, weights, steps=6), POSE, atol=2e-3)


def test_the_identity_explains_the_landmarks(basis: LandmarkBasis) -> None:
    alpha = np.random.default_rng(1).normal(size=80).astype(np.float32)
    target = seen(basis.shape(alpha, np.zeros(64, np.float32)), POSE)
    found, pose = fit_identity(basis, target, np.zeros(64, np.float32))
    again = project(place(basis.shape(found, np.zeros(64, np.float32)), pose))
    assert np.abs(again[:, :2] - target[:, :2]).mean() < 0.004  # one pixel of 512


def test_the_landmarks_say_how_far_the_mouth_is_open(basis: LandmarkBasis) -> None:
    rest = basis.shape(np.zeros(80, np.float32), np.zeros(64, np.float32))
    beta, scores = np.zeros(64, np.float32), np.zeros(64, np.float32)
    beta[JAW], scores[JAW] = 0.7, 0.4
    target = seen(basis.shape(np.zeros(80, np.float32), beta), POSE)
    found, pose = fit_expression(basis, rest, target, scores, POSE, steps=4)
    assert abs(found[JAW] - 0.7) < 0.12
    np.testing.assert_allclose(pose[:3], POSE[:3], atol=0.02)


def test_what_the_fit_shrinks_is_made_up_for_and_nothing_else() -> None:
    beta, pose = np.full(64, 0.5, np.float32), np.full(6, 0.1, np.float32)
    larger, nodding = calibrated(beta, pose)
    changed = {name for name, value in zip(EXPRESSION_NAMES, larger, strict=False) if value != 0.5}
    assert changed == {"mouthSmileLeft", "mouthSmileRight", "jawOpen", "mouthPucker"}
    assert nodding[0] > 0.11
    np.testing.assert_array_equal(nodding[1:], pose[1:])
    np.testing.assert_array_equal(calibrated(np.zeros(64, np.float32), np.zeros(6, np.float32))[0], 0)  # rest stays rest


def test_a_frame_of_a_known_jaw_is_read_at_its_size(basis: LandmarkBasis, hopper: Portrait) -> None:
    """Whatever the tracker's landmarks do: of exact ones no more than the calibration is added."""
    rest = basis.shape(np.zeros(80, np.float32), np.zeros(64, np.float32))
    beta, scores = np.zeros(64, np.float32), np.zeros(52, np.float32)
    beta[JAW] = scores[JAW] = 0.5
    points = seen(basis.shape(np.zeros(80, np.float32), beta), POSE)
    pixels = ((points + np.array([1, 1, 0])) * 256).astype(np.float32)
    face = replace(hopper.face, landmarks=pixels, blendshapes=scores, size=(512, 512))
    found, pose, _ = fit_frame(basis, rest, basis.eye_centres, face, Square(256, 256, 512))
    assert found[JAW] == pytest.approx(0.5, abs=0.05)
    np.testing.assert_allclose(pose[:3], POSE[:3], atol=0.02)


@pytest.mark.parametrize("gaze", [(0.3, 0.0, 0.3, 0.0), (-0.2, 0.15, -0.25, 0.1)])
def test_the_gaze_comes_back_in_any_pose(head: HeadModel, basis: LandmarkBasis, gaze: tuple[float, ...]) -> None:
    tau = np.array(gaze, np.float32)
    vertices = head.shape(np.zeros(80, np.float32), np.zeros(64, np.float32), tau)
    target = seen(head.landmarks(vertices), POSE)
    np.testing.assert_allclose(gaze_of(basis.eye_centres, basis.iris_radius_dm, POSE, target), tau, atol=0.06)


def test_sideways_the_gaze_follows_the_scores_of_each_eye(hopper: Portrait) -> None:
    rays = np.array([0.3, 0.1, 0.3, -0.1], np.float32)

    def look(**scores: float) -> Floats:
        given = np.array([scores.get(name, 0.0) for name in EXPRESSION_NAMES], np.float32)
        return gaze_seen(replace(hopper.face, blendshapes=given), rays)

    np.testing.assert_array_equal(look(), [0, rays[1], 0, rays[3]])
    to_their_left = look(eyeLookOutLeft=0.6, eyeLookInRight=0.6)
    assert to_their_left[0] == to_their_left[2] > 0.2  # the person's left is +x
    assert look(eyeLookInLeft=0.5)[0] < 0 == look(eyeLookInLeft=0.5)[2]
    np.testing.assert_array_equal(to_their_left[[1, 3]], rays[[1, 3]])


def edited(
    source: PreparedPortrait, *, yaw_rad: float = 0, roll_rad: float = 0, gaze_x: float = 0, **expression: float
) -> Coefficients:
    z = source.coefficients
    beta = z.expression.copy()
    for name, value in expression.items():
        beta[EXPRESSION_NAMES.index(name)] = value
    pose = z.pose + np.array([0, yaw_rad, roll_rad, 0, 0, 0], np.float32)
    return replace(z, expression=beta, pose=pose, gaze=z.gaze + np.array([gaze_x, 0, gaze_x, 0], np.float32))


class Mirror:
    """What the regressor reads off the animated portrait."""

    def __init__(self, animator: Animator, source: PreparedPortrait) -> None:
        self._animator, self._source = animator, source
        self._regressor = LandmarkRegressor(load_head())
        self._tracker = Tracker("picture")
        animator.use(source)
        picture = animator.animate(source.coefficients)
        (face,) = self._tracker.find_all(picture)
        self._square: Square = square_around(face)
        self._regressor.meet(picture, face, self._square)

    def __call__(self, z: Coefficients) -> Coefficients:
        self._animator.use(self._source)
        picture = self._animator.animate(z)
        (face,) = self._tracker.find_all(picture)
        return self._regressor.regress(picture, face, self._square)


@pytest.fixture(scope="module")
def mirror(animator: Animator, hopper_source: PreparedPortrait) -> Mirror:
    return Mirror(animator, hopper_source)


def test_a_turned_portrait_is_seen_turned(mirror: Mirror, hopper_source: PreparedPortrait) -> None:
    left, right = (mirror(edited(hopper_source, yaw_rad=yaw)).pose[1] for yaw in (-0.3, 0.3))
    assert right - left > 0.3
    tilted = [mirror(edited(hopper_source, roll_rad=roll)).pose[2] for roll in (-0.2, 0.2)]
    assert tilted[1] - tilted[0] == pytest.approx(0.4, abs=0.06)


def test_an_open_mouth_is_seen_open(mirror: Mirror, hopper_source: PreparedPortrait) -> None:
    closed, opened = (mirror(edited(hopper_source, jawOpen=value)).expression[JAW] for value in (0.0, 0.6))
    assert opened - closed > 0.3


def test_a_look_aside_is_seen(mirror: Mirror, hopper_source: PreparedPortrait) -> None:
    left, right = (mirror(edited(hopper_source, gaze_x=x)).gaze[[0, 2]].mean() for x in (-0.25, 0.25))
    assert right - left > 0.2


def test_closed_eyes_are_seen_closed(animator: Animator, mona_source: PreparedPortrait) -> None:
    mirror = Mirror(animator, mona_source)
    opened = mirror(mona_source.coefficients).expression[8:10]
    closed = mirror(edited(mona_source, eyeBlinkLeft=1.0, eyeBlinkRight=1.0)).expression[8:10]
    assert (closed - opened > 0.15).all()


def test_each_eye_blinks_for_itself(animator: Animator, mona_source: PreparedPortrait, mona: Portrait) -> None:
    animator.use(mona_source)
    eyes = {"eyeBlinkLeft": mona.face.landmarks[473, :2], "eyeBlinkRight": mona.face.landmarks[468, :2]}
    for name in eyes:
        moved = animator.animate(edited(mona_source, **{name: 1.0}), corrections="none").astype(int) - mona.crop
        changes = {eye: np.abs(moved[int(y) - 8 : int(y) + 8, int(x) - 12 : int(x) + 12]).mean() for eye, (x, y) in eyes.items()}
        other = next(eye for eye in eyes if eye != name)
        assert changes[name] > 10
        assert changes[other] < 2
