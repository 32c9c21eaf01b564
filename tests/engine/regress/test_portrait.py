"""Fitting the head to a portrait: its lips and lids lie where the photograph's do, whatever the face does."""

from __future__ import annotations

import numpy as np
import pytest

from engine.animator import Animator, PreparedPortrait
from engine.conventions import place, project
from engine.head import load_head
from engine.landmark_indices import INNER_LIPS
from engine.portrait import Portrait
from engine.regress.landmarks import observed
from engine.regress.portrait import fit_portrait
from engine.track import Tracker
from engine.values import EXPRESSION_NAMES, Coefficients, Face, Floats, Picture, Square

PX = 2 / 512
CROP = Square(256, 256, 512)
UPPER_LIP, LOWER_LIP = 13, 14


def landmarks_of_fit(face: Face, crop: Picture) -> tuple[Floats, Coefficients]:
    """(478, 2) crop coordinates of the fitted head's points, and its z."""
    fit = fit_portrait(load_head(), face, crop)
    z = fit.coefficients
    return project(place(fit.head.model.landmarks(fit.head.shape(z.expression, z.gaze)), z.pose))[:, :2], z


def opened(animator: Animator, source: PreparedPortrait) -> tuple[Face, Picture]:
    """The portrait with its mouth open, as a photograph of its own."""
    animator.use(source)
    beta = source.coefficients.expression.copy()
    beta[EXPRESSION_NAMES.index("jawOpen")] += 0.6
    crop = animator.animate(Coefficients(**{**vars(source.coefficients), "expression": beta})).copy()
    (face,) = Tracker("picture").find_all(crop)
    return face, crop


def test_the_lips_of_the_head_are_those_of_the_photograph(hopper: Portrait, mona: Portrait) -> None:
    for portrait in (hopper, mona):
        found, _ = landmarks_of_fit(portrait.face, portrait.crop)
        wanted = observed(portrait.face, CROP)[:, :2]
        assert np.linalg.norm(found - wanted, axis=1)[list(INNER_LIPS)].mean() < 0.7 * PX


def test_an_open_mouth_is_open_in_the_head(animator: Animator, hopper_source: PreparedPortrait) -> None:
    face, crop = opened(animator, hopper_source)
    found, z = landmarks_of_fit(face, crop)
    gap, wanted = (np.linalg.norm(p[UPPER_LIP, :2] - p[LOWER_LIP, :2]) for p in (found, observed(face, CROP)))
    assert wanted > 10 * PX
    assert gap == pytest.approx(wanted, abs=1.5 * PX)
    assert z.expression[EXPRESSION_NAMES.index("jawOpen")] > 0.3  # it is expression, which can be taken back, not identity
    assert (z.expression >= 0).all()
    assert (z.expression <= 1).all()
