"""A sitter does what its own face does in another picture: it opens what is shut, and shuts what is open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.head import load_head
from engine.portrait import load_portrait
from engine.track import Tracker
from engine.values import BLINKS, EXPRESSION_NAMES, Face
from tests.engine.conftest import HOPPER
from trainer.generator.subject import SourceSubject, only_face

UPPER_LIP, LOWER_LIP = 13, 14
SHOWN = 0.6  # share of the driving face's motion that must be seen in the picture
ON_PLACE_PX = 1.5  # of the landmarks of a photograph that came back from a made-up source


@pytest.fixture(scope="module")
def tracker() -> Tracker:
    return Tracker("picture")


@pytest.fixture(scope="module")
def calm() -> SourceSubject:
    portrait = load_portrait(HOPPER)
    return SourceSubject.fitted(load_head(), portrait.crop, portrait.face)


def gap(face: Face) -> float:
    """Between the lips [px]."""
    return float(np.linalg.norm(face.landmarks[UPPER_LIP, :2] - face.landmarks[LOWER_LIP, :2]))


def test_an_open_mouth_is_shut_and_a_shut_one_opens(calm: SourceSubject, tracker: Tracker) -> None:
    beta = calm.coefficients.expression.copy()
    beta[EXPRESSION_NAMES.index("jawOpen")] += 0.6
    opened = calm.picture(calm.prior(replace(calm.coefficients, expression=beta)))
    faces = [only_face(tracker, crop) for crop in (calm.crop, opened)]
    wanted = gap(faces[1]) - gap(faces[0])
    other = SourceSubject.fitted(load_head(), opened, faces[1])
    forth, back = calm.follow(faces[1]), other.follow(faces[0])
    seen_forth = only_face(tracker, calm.picture(calm.prior(forth)))
    seen_back = only_face(tracker, other.picture(other.prior(back)))
    assert (gap(seen_forth) - gap(faces[0])) / wanted > SHOWN
    assert (gap(faces[1]) - gap(seen_back)) / wanted > SHOWN


def test_a_made_up_source_brings_the_photograph_back_to_its_place(calm: SourceSubject, tracker: Tracker) -> None:
    beta, pose = calm.coefficients.expression.copy(), calm.coefficients.pose.copy()
    beta[EXPRESSION_NAMES.index("jawOpen")] += 0.5
    pose[1] += 0.15
    z = replace(calm.coefficients, expression=beta, pose=pose)
    other = calm.made_up(tracker, z)
    assert np.abs(other.picture(other.prior(z)).astype(int) - other.crop).mean() < 0.1  # at rest it is its photograph
    wanted = only_face(tracker, calm.crop).landmarks[:, :2]
    back = only_face(tracker, other.picture(other.prior(calm.coefficients))).landmarks[:, :2]
    assert np.abs(other.face.landmarks[:, :2] - wanted).mean() > 5
    assert np.abs(back - wanted).mean() < ON_PLACE_PX


def test_its_own_face_leaves_it_as_it_is(calm: SourceSubject, tracker: Tracker) -> None:
    z = calm.follow(only_face(tracker, calm.crop))
    own = calm.coefficients
    np.testing.assert_allclose(z.expression[BLINKS], own.expression[BLINKS], atol=0.05)
    np.testing.assert_allclose(z.pose, own.pose, atol=0.02)
