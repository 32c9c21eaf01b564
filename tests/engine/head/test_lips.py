"""Lips that meet: a mouth that is open in the photograph can be shut, and is as open as before where nothing shuts it."""

from __future__ import annotations

import numpy as np
import pytest

from engine.head import PersonalHead, load_head
from engine.head.lips import with_closing_lips
from engine.landmark_indices import INNER_LIP_RIMS
from engine.values import EXPRESSION, EXPRESSION_NAMES, Floats

GAZE = np.zeros(4, np.float32)
LAUGH = ("mouthSmileLeft", "mouthSmileRight", "mouthUpperUpLeft", "mouthUpperUpRight")


def expression(**values: float) -> Floats:
    beta = np.zeros(EXPRESSION, np.float32)
    for name, value in values.items():
        beta[EXPRESSION_NAMES.index(name)] = value
    return beta


@pytest.fixture(scope="module")
def laughing() -> PersonalHead:
    """Somebody whose identity was fitted with the lips apart: half of a raised upper lip."""
    model = load_head()
    unexplained = model.shape(np.zeros(80, np.float32), 0.5 * expression(**dict.fromkeys(LAUGH[2:], 1.0)), GAZE)
    return PersonalHead(model, unexplained)


def gap_dm(head: PersonalHead, beta: Floats) -> Floats:
    points = head.model.landmarks(head.shape(beta, GAZE))
    upper, lower = (points[list(rim)[1:-1], 1] for rim in INNER_LIP_RIMS)
    return upper - lower


def test_a_laughing_mouth_can_be_shut_and_laughs_as_before(laughing: PersonalHead) -> None:
    beta = expression(**dict.fromkeys(LAUGH, 0.9))
    assert gap_dm(laughing, expression()).max() > 0.02
    closing = with_closing_lips(laughing, beta, GAZE)
    assert np.abs(gap_dm(closing, expression())).max() < 0.025
    assert gap_dm(closing, expression()).max() < 0
    np.testing.assert_allclose(closing.shape(beta, GAZE), laughing.shape(beta, GAZE), atol=1e-5)


def test_half_a_laugh_is_between(laughing: PersonalHead) -> None:
    closing = with_closing_lips(laughing, expression(**dict.fromkeys(LAUGH, 0.9)), GAZE)
    gaps = [gap_dm(closing, expression(**dict.fromkeys(LAUGH, share))).max() for share in (0, 0.3, 0.6, 0.9)]
    assert (np.diff(gaps) > 0.01).all()


def test_only_the_mouth_changes(laughing: PersonalHead) -> None:
    closing = with_closing_lips(laughing, expression(**dict.fromkeys(LAUGH, 0.9)), GAZE)
    moved = np.linalg.norm(closing.rest - laughing.rest, axis=1)
    above_the_nose = laughing.rest[:, 1] > 0.05
    assert moved.max() > 0.02
    assert moved[above_the_nose].max() < 0.004


def test_lips_that_are_shut_or_opened_by_nothing_stay_as_they_are(laughing: PersonalHead) -> None:
    shut = PersonalHead(laughing.model, laughing.model.mean_shape)
    assert with_closing_lips(shut, expression(), GAZE) is shut
    assert with_closing_lips(laughing, expression(), GAZE) is laughing
