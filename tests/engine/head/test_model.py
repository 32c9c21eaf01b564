"""The open head as it is shipped: what its numbers do, seen in its vertices and in pictures of it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.conventions import place, project
from engine.head import HeadModel, Part, load_head
from engine.head.model import turn_toward
from engine.render import create_renderer
from engine.render.render import render_head
from engine.track import Tracker
from engine.values import EXPRESSION_NAMES, Coefficients, Face, Floats

SIZE = 400
DISTANCE_DM = -2.0


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_head()


def state(*, yaw: float = 0.0, gaze: tuple[float, float] = (0, 0), **expressions: float) -> Coefficients:
    """The mean head, a step back, with some expressions."""
    z = Coefficients.neutral()
    z.illumination.reshape(9, 3)[:3] = np.array([0.8, 0.15, 0.25])[:, None]
    z.pose[1], z.pose[5] = yaw, DISTANCE_DM
    z.gaze[:] = (*gaze, *gaze)
    for name, strength in expressions.items():
        z.expression[EXPRESSION_NAMES.index(name)] = strength
    return z


def visible(head: HeadModel, z: Coefficients) -> NDArray[np.int64]:
    """How many pixels of each part are seen."""
    _, raster = render_head(head, z, create_renderer("cpu", SIZE))
    return np.bincount(head.part[raster.triangle[raster.triangle >= 0]], minlength=len(Part))


def track(head: HeadModel, z: Coefficients) -> Face:
    picture, raster = render_head(head, z, create_renderer("cpu", SIZE))
    picture[raster.triangle < 0] = (96, 108, 118)
    with Tracker(mode="picture") as tracker:
        faces = tracker.find_all(picture)
    assert faces, "the tracker must find the rendered head"
    return faces[0]


def test_shapes(head: HeadModel) -> None:
    vertices = len(head.mean_shape)
    assert head.identity_basis.shape == (80, vertices, 3)
    assert head.expression_basis.shape == (64, vertices, 3)
    assert head.albedo_basis.shape == (80, vertices, 3)
    assert head.triangles.max() == vertices - 1
    assert head.triangles.min() == 0
    assert head.part.shape == (len(head.triangles),)
    assert set(head.part) == {int(part) for part in Part}
    assert head.follow.shape == (vertices,)
    assert all(np.isfinite(array).all() for array in (head.mean_shape, head.identity_basis, head.expression_basis))
    assert all(np.isfinite(array).all() for array in (head.mean_albedo, head.albedo_basis))


def test_shape_is_equation_2(head: HeadModel) -> None:
    rng = np.random.default_rng(0)
    alpha, beta = rng.normal(size=80).astype(np.float32), rng.random(64).astype(np.float32)
    offset = rng.normal(size=head.mean_shape.shape).astype(np.float32) * 0.01
    expected = head.mean_shape + np.tensordot(alpha, head.identity_basis, 1) + np.tensordot(beta, head.expression_basis, 1)
    straight = np.zeros(4, np.float32)
    np.testing.assert_allclose(head.shape(alpha, beta, straight), expected, atol=1e-5)
    out = np.empty_like(head.mean_shape)
    personal = head.with_identity(alpha, offset)
    assert personal.shape(beta, straight, out) is out
    np.testing.assert_allclose(out, expected + offset, atol=1e-5)


def test_albedo_is_equation_3_within_0_and_1(head: HeadModel) -> None:
    delta = np.zeros(80, np.float32)
    np.testing.assert_array_equal(head.albedo(delta), np.clip(head.mean_albedo, 0, 1))
    delta[0] = 30
    assert head.albedo(delta).min() == 0
    delta[0] = -30
    assert head.albedo(delta).max() == 1


def test_gaze_turns_the_eyeballs_rigidly_toward_the_given_direction(head: HeadModel) -> None:
    gaze = np.array([0.3, -0.2, -0.4, 0.1], np.float32)
    personal = head.with_identity(np.random.default_rng(1).normal(size=80).astype(np.float32))
    turned = personal.shape(np.ones(64, np.float32), gaze)
    for vertices, centre, xy in zip(head.eyeballs, personal.eye_centres, gaze.reshape(2, 2), strict=True):
        arms, turned_arms = personal.rest[vertices] - centre, turned[vertices] - centre
        np.testing.assert_allclose(np.linalg.norm(arms, axis=1), np.linalg.norm(turned_arms, axis=1), atol=1e-5)
        pupil = int(arms[:, 2].argmax())
        direction = turned_arms[pupil] / np.linalg.norm(turned_arms[pupil])
        np.testing.assert_allclose(direction[:2], xy, atol=0.01)


@pytest.mark.parametrize("xy", [(0.0, 0.0), (0.5, 0.1), (-0.7, 0.7), (5.0, 0.0)])
def test_turning_is_a_rotation_even_beyond_the_limit(xy: tuple[float, float]) -> None:
    turn = turn_toward(np.array(xy, np.float32))
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-5)
    assert np.linalg.det(turn) > 0


def test_no_expression_moves_an_eyeball(head: HeadModel) -> None:
    for vertices in head.eyeballs:
        assert not head.expression_basis[:, vertices].any()


def test_a_blink_closes_its_own_eye_and_no_other(head: HeadModel) -> None:
    rest = visible(head, state())
    assert rest[Part.EYE_LEFT] > 150
    for own, other, name in (
        (Part.EYE_LEFT, Part.EYE_RIGHT, "eyeBlinkLeft"),
        (Part.EYE_RIGHT, Part.EYE_LEFT, "eyeBlinkRight"),
    ):
        closed, half = visible(head, state(**{name: 1.0})), visible(head, state(**{name: 0.5}))
        assert closed[own] <= 2
        assert closed[other] == rest[other]
        assert 0.35 < half[own] / rest[own] < 0.75


def test_opening_the_jaw_shows_tongue_and_lower_teeth_and_leaves_the_upper_ones(head: HeadModel) -> None:
    rest, opened = visible(head, state()), visible(head, state(jawOpen=1))
    assert rest[[Part.TONGUE, Part.MOUTH, Part.UPPER_TEETH, Part.LOWER_TEETH]].sum() < 15
    assert opened[Part.TONGUE] > 150
    assert opened[Part.LOWER_TEETH] > 50
    moved = np.linalg.norm(head.expression_basis[EXPRESSION_NAMES.index("jawOpen")], axis=1)
    upper, lower = (np.unique(head.triangles[head.part == part]) for part in (Part.UPPER_TEETH, Part.LOWER_TEETH))
    assert moved[upper].max() < 0.005
    assert moved[lower].min() > 0.1


def test_the_inside_of_the_mouth_stays_inside_random_people(head: HeadModel) -> None:
    rng = np.random.default_rng(4)
    shown = []
    for _ in range(12):
        z = state()
        z.identity[:] = rng.normal(size=80)
        shown.append(visible(head, z)[Part.UPPER_TEETH :].sum())
    assert np.median(shown) < 15


def test_the_neck_stays_with_the_body(head: HeadModel) -> None:
    lowest = head.mean_shape[:, 1] < head.mean_shape[:, 1].min() + 0.02
    assert head.follow[lowest].max() == 0
    assert (head.follow[head.mean_shape[:, 1] > -0.4] > 0.9).mean() > 0.95
    assert head.follow.min() == 0
    assert head.follow.max() == 1


def test_the_origin_lies_between_the_ears_behind_the_nose(head: HeadModel) -> None:
    points = head.landmarks(head.mean_shape)
    nose = points[1]
    assert abs(nose[0]) < 0.01
    assert abs(nose[1]) < 0.25
    assert 0.9 < nose[2] < 1.4


def test_left_is_the_persons_left(head: HeadModel) -> None:
    left, right = head.with_identity(np.zeros(80, np.float32)).eye_centres
    assert left[0] > 0.2
    assert right[0] < -0.2
    points = head.landmarks(head.mean_shape)
    np.testing.assert_allclose(points[473, :2], left[:2], atol=0.01)
    np.testing.assert_allclose(points[468, :2], right[:2], atol=0.01)


def test_lid_points_meet_when_the_eye_closes(head: HeadModel) -> None:
    for upper, lower, name in (
        ([159, 158, 160], [145, 153, 144], "eyeBlinkRight"),
        ([386, 385, 387], [374, 380, 373], "eyeBlinkLeft"),
    ):
        gap = [_gap(head, state(**{name: strength}), upper, lower) for strength in (0, 1)]
        assert gap[0] > 0.06
        assert abs(gap[1]) < 0.012


def test_inner_lip_points_meet_when_the_mouth_is_closed_and_part_with_the_jaw(head: HeadModel) -> None:
    upper, lower = [81, 82, 13, 312, 311], [178, 87, 14, 317, 402]
    assert abs(_gap(head, state(), upper, lower)) < 0.006
    assert _gap(head, state(jawOpen=0.2), upper, lower) > 0.03


def _gap(head: HeadModel, z: Coefficients, upper: list[int], lower: list[int]) -> float:
    points = head.landmarks(head.shape(z.identity, z.expression, z.gaze))
    return float((points[upper, 1] - points[lower, 1]).mean())


def test_the_tracker_finds_its_points_where_the_model_has_them(head: HeadModel) -> None:
    for yaw in (0.0, 0.35):
        z = state(yaw=yaw)
        found = track(head, z).landmarks[:, :2]
        expected = (project(place(head.landmarks(head.mean_shape), z.pose))[:, :2] + 1) * SIZE / 2
        error = np.linalg.norm(found - expected, axis=1)
        assert np.median(error) < 0.012 * SIZE


@pytest.mark.parametrize(
    ("name", "strength"),
    [("jawOpen", 0.7), ("eyeBlinkLeft", 1.0), ("eyeBlinkRight", 1.0), ("mouthSmileLeft", 1.0), ("mouthSmileRight", 1.0)],
)
def test_the_tracker_reads_expressions_back(head: HeadModel, name: str, strength: float) -> None:
    index = EXPRESSION_NAMES.index(name)
    rest, shown = track(head, state()).blendshapes, track(head, state(**{name: strength})).blendshapes
    assert shown[index] - rest[index] > 0.2
    mirrored = name.replace("Left", "?").replace("Right", "Left").replace("?", "Right")
    if mirrored != name:
        assert shown[index] > shown[EXPRESSION_NAMES.index(mirrored)]


def test_the_tracker_sees_where_the_eyes_look(head: HeadModel) -> None:
    irises = [_iris_x(track(head, state(gaze=(x, 0.0))).landmarks) for x in (-0.35, 0.35)]
    assert irises[1] - irises[0] > 0.02 * SIZE  # toward the person's left is to the right of the picture


def _iris_x(landmarks: Floats) -> float:
    return float(landmarks[[468, 473], 0].mean())
