"""The colours of a mouth's inside, as they are lit: grey in a grey photograph, and no brighter than the photograph has white."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.conventions import place
from engine.head import Part, load_head
from engine.landmark_indices import INNER_LIP_RIMS, LEFT_EYE, RIGHT_EYE
from engine.portrait import Portrait
from engine.regress.portrait import Fit, fit_portrait
from engine.render.lighting import shade, vertex_normals
from engine.values import Floats, Picture

TEETH = (Part.UPPER_TEETH, Part.LOWER_TEETH)
INSIDE = (*TEETH, Part.TONGUE, Part.MOUTH)


def lit(fit: Fit, parts: tuple[Part, ...]) -> Floats:
    """(K, 3) 0…1 colours of the vertices that only these parts have."""
    model, z = fit.head.model, fit.coefficients
    normals = vertex_normals(place(fit.head.shape(z.expression, z.gaze), z.pose), model.triangles)
    chosen = np.setdiff1d(model.triangles[np.isin(model.part, parts)], model.triangles[~np.isin(model.part, parts)])
    return shade(fit.albedo, normals, z.illumination)[chosen]


def luminance(colours: Floats) -> Floats:
    return np.asarray(colours @ np.array([0.299, 0.587, 0.114], np.float32))


def test_in_a_grey_photograph_it_is_grey(hopper: Portrait) -> None:
    grey = np.repeat(np.asarray(cv2.cvtColor(hopper.crop, cv2.COLOR_RGB2GRAY), np.uint8)[..., None], 3, 2)
    colours = lit(fit_portrait(load_head(), hopper.face, grey), INSIDE)
    assert np.ptp(colours, axis=1).max() < 1 / 255
    assert luminance(colours).max() > 0.2


@pytest.mark.parametrize("light", [1.0, 0.35])
def test_teeth_are_no_brighter_than_the_eyes_white(hopper: Portrait, light: float) -> None:
    crop = (hopper.crop * light).astype(np.uint8)
    eye = painted_eyes(crop, hopper, np.array([200, 200, 190]) * light)
    teeth = luminance(lit(fit_portrait(load_head(), hopper.face, eye), TEETH))
    white = float(luminance(np.array([200, 200, 190]) * light / 255))
    assert 0.6 * white < teeth.max() <= white + 0.01


def painted_eyes(crop: Picture, portrait: Portrait, colour: Floats) -> Picture:
    """The crop with eyes that are all of one colour."""
    out = crop.copy()
    for rim in (LEFT_EYE, RIGHT_EYE):
        corners = portrait.face.landmarks[list(rim), :2].round().astype(np.int32)
        cv2.fillPoly(out, [corners], colour.tolist())
    return out


def test_teeth_take_the_colour_of_those_that_the_photograph_shows(hopper: Portrait) -> None:
    """Lips parted around a row of yellow teeth."""
    landmarks = hopper.face.landmarks.copy()
    upper, lower = INNER_LIP_RIMS
    landmarks[list(lower[1:-1]), 1] += 12
    edge = [*upper, *lower[::-1]]
    crop, yellow = hopper.crop.copy(), np.array([230, 215, 170])
    cv2.fillPoly(crop, [landmarks[edge, :2].round().astype(np.int32)], yellow.tolist())
    teeth = lit(fit_portrait(load_head(), replace(hopper.face, landmarks=landmarks), crop), TEETH)
    brightest = teeth[np.argmax(luminance(teeth))] * 255
    np.testing.assert_allclose(brightest, yellow, atol=12)
