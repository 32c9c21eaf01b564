"""People taken out of photographs: real ones, and constructed ones whose matte is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.closed_form import closed_form_alpha, laplacian
from engine.matte import exactly, person_alpha, person_colours, surely_background
from engine.portrait import Portrait
from engine.values import Face, Floats, Picture

SIZE = 128


@pytest.fixture(scope="module")
def curtain() -> Picture:
    """A finely patterned background, brown and green."""
    rng = np.random.default_rng(3)
    pattern = cv2.GaussianBlur(rng.normal(size=(SIZE, SIZE)), (0, 0), 1.5)
    stripes = np.sin(np.arange(SIZE) * 0.7)[None] + 3 * pattern
    return np.clip(np.stack([90 + 30 * stripes, 70 + 25 * stripes, 40 - 10 * stripes], -1), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def true_alpha() -> Floats:
    """A head with a soft edge and wisps of hair."""
    alpha = np.zeros((SIZE, SIZE), np.float32)
    cv2.circle(alpha, (64, 70), 34, (1,), -1)
    for angle in np.linspace(-2.6, -0.5, 12):
        end = (64 + 44 * np.cos(angle), 70 + 44 * np.sin(angle))
        cv2.line(alpha, (64, 70), (round(end[0]), round(end[1])), (1,), 1)
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), 0.8), np.float32)


@pytest.fixture(scope="module")
def head(curtain: Picture, true_alpha: Floats) -> Picture:
    colour = np.array([215, 170, 140], np.float32)
    return np.rint(true_alpha[..., None] * colour + (1 - true_alpha[..., None]) * curtain).astype(np.uint8)


def trimap(alpha: Floats) -> Floats:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    inner, outer = cv2.erode(alpha, disc) > 0.99, cv2.dilate(alpha, disc) > 0.01
    return np.where(inner, 1, np.where(outer, 0.5, 0)).astype(np.float32)


def test_hair_is_found_in_front_of_a_pattern(head: Picture, true_alpha: Floats) -> None:
    sure = trimap(true_alpha)
    guess = cv2.GaussianBlur((true_alpha > 0.5).astype(np.float32), (0, 0), 4)
    found, unknown = closed_form_alpha(head, sure, np.asarray(guess)), sure == 0.5
    assert np.sqrt(np.mean((found - true_alpha)[unknown] ** 2)) < 0.06
    assert np.sqrt(np.mean((guess - true_alpha)[unknown] ** 2)) > 0.15  # far more than the guess knew
    np.testing.assert_array_equal(found[~unknown], sure[~unknown])


def test_the_laplacian_takes_every_affine_function_of_the_colours_for_a_matte(head: Picture) -> None:
    colours = head[40:60, 40:60].astype(np.float32) / 255
    inside = np.zeros((20, 20), bool)
    inside[4:-4, 4:-4] = True
    rows = laplacian(colours, inside)[inside]
    patches = np.lib.stride_tricks.sliding_window_view(colours @ [0.7, -0.2, 0.4] + 0.1, (5, 5))[2:-2, 2:-2].reshape(
        len(rows), 25
    )
    noise = np.random.default_rng(0).uniform(size=25)
    assert np.abs((rows * patches).sum(1)).max() < 1e-3
    assert np.abs((rows * noise).sum(1)).max() > 0.1


def test_colours_are_those_of_the_person_where_the_background_shines_through(head: Picture, true_alpha: Floats) -> None:
    wisps = (true_alpha > 0.2) & (true_alpha < 0.8)
    found = person_colours(head, true_alpha)
    assert np.abs(found - [215, 170, 140])[wisps].mean() < 8 < np.abs(head.astype(float) - [215, 170, 140])[wisps].mean()


@pytest.mark.parametrize("seed", range(3))
def test_any_two_layers_are_made_to_compose_exactly(head: Picture, seed: int) -> None:
    rng = np.random.default_rng(seed)
    alpha = np.rint(255 * np.clip(rng.uniform(-0.3, 1.3, head.shape[:2]), 0, 1)).astype(np.float32) / 255
    alpha, person, behind = exactly(head, alpha, *(rng.uniform(0, 255, head.shape).astype(np.float32) for _ in range(2)))
    composed = behind + alpha[..., None] * (person.astype(np.float32) - behind)
    np.testing.assert_array_equal(np.floor(composed + 0.5), head)


def test_a_portrait_at_rest_is_the_photograph(mona: Portrait, hopper: Portrait) -> None:
    for portrait in (mona, hopper):
        composed = portrait.plate + portrait.matte[..., None] * (portrait.foreground.astype(np.float32) - portrait.plate)
        np.testing.assert_array_equal(np.floor(composed + 0.5), portrait.crop)


def test_face_and_chest_have_no_holes_and_no_ribbon_of_background_is_taken_along(mona: Portrait, hopper: Portrait) -> None:
    for portrait in (mona, hopper):
        hull = np.zeros((512, 512), np.uint8)
        cv2.fillConvexPoly(hull, cv2.convexHull(portrait.face.landmarks[:, :2].round().astype(np.int32)), (1,))
        assert portrait.matte[hull > 0].min() == 1
        assert portrait.matte[480:500, 240:270].min() == 1
        edge = (portrait.matte > 0.02) & (portrait.matte < 0.98)
        assert edge.mean() < 0.08


def test_what_only_looks_alike_farther_out_is_no_person(hopper: Portrait) -> None:
    alpha = person_alpha(hopper.crop, np.full((512, 512), 0.3, np.float32), hopper.face)  # a guess that knows nothing
    hull = np.zeros((512, 512), np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(hopper.face.landmarks[:, :2].round().astype(np.int32)), (1,))
    _, labels = cv2.connectedComponents((alpha > 0.5).astype(np.uint8))
    person = labels == labels[hull > 0].max()
    assert alpha[hull > 0].min() == 1
    assert alpha[cv2.distanceTransform((~person).astype(np.uint8), cv2.DIST_L2, 5) > 41].max() == 0


def test_a_face_at_the_border_is_no_error(hopper: Portrait) -> None:
    moved = Face(hopper.face.landmarks - np.float32([300, 300, 0]), hopper.face.blendshapes, hopper.face.size)
    crop = np.asarray(np.roll(hopper.crop, (-300, -300), (0, 1)))
    alpha = person_alpha(crop, np.roll(hopper.matte, (-300, -300), (0, 1)), moved)
    assert alpha.shape == (512, 512)
    assert surely_background(alpha).any()
