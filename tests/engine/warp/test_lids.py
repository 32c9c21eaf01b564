"""Upper lids on their way down."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.animator import PreparedPortrait
from engine.conventions import pixel_grid
from engine.portrait import Portrait
from engine.values import BLINKS, Coefficients, Floats, Picture
from engine.warp.source import SourceGeometry

EDGE, LOWER, BROW, CORNERS = (386, 159), (374, 145), (282, 52), ((362, 263), (133, 33))  # landmarks, left and right


def shut(z: Coefficients, share: float) -> Coefficients:
    beta = z.expression.copy()
    beta[BLINKS] += share * (1 - beta[BLINKS])
    return replace(z, expression=beta)


def shown(geometry: SourceGeometry, z: Coefficients) -> tuple[Floats, Floats]:
    """(512, 512) x and y where in the photograph [px] each pixel looks."""
    places = (pixel_grid(512) + geometry.prior(z).flow + 1) * 256 - 0.5
    return places[..., 0], places[..., 1]


@pytest.fixture
def lashes(hopper: Portrait) -> Picture:
    """A clean face with long lashes over its lids."""
    picture = np.full((512, 512, 3), (205, 160, 140), np.uint8)
    for edge, brow, (inner, outer) in zip(EDGE, BROW, CORNERS, strict=True):
        points = hopper.face.landmarks[:, :2]
        top = points[edge, 1] - 0.5 * (points[edge, 1] - points[brow, 1])
        left, right = sorted((points[inner, 0], points[outer, 0]))
        for x in np.arange(left, right, 5.0):
            cv2.line(picture, (round(x), round(points[edge, 1])), (round(x), round(top)), (20, 15, 10), 2)
    return picture


def rough(picture: Picture, x: slice, y: slice) -> float:
    """Contrast from side to side [levels]."""
    return float(np.abs(np.diff(picture[y, x].mean(2), axis=1)).mean())


def test_lashes_are_not_stretched_over_a_shut_eye(hopper: Portrait, hopper_source: PreparedPortrait, lashes: Picture) -> None:
    fit, points = hopper_source.fit, hopper.face.landmarks[:, :2]
    geometry = SourceGeometry(fit.head, fit.coefficients, fit.albedo, lashes)
    bare = SourceGeometry(fit.head, fit.coefficients, fit.albedo, np.full_like(lashes, 150))  # nothing to be preferred
    z = shut(fit.coefficients, 1.0)
    drawn = [cv2.remap(lashes, *shown(one, z), cv2.INTER_LINEAR) for one in (geometry, bare)]
    for edge, lower, (inner, outer) in zip(EDGE, LOWER, CORNERS, strict=True):
        left, right = sorted((points[inner, 0], points[outer, 0]))
        lid = slice(round(left + 0.3 * (right - left)), round(right - 0.3 * (right - left)))
        rows = slice(round(points[edge, 1]), round(points[edge, 1] + 0.5 * (points[lower, 1] - points[edge, 1])))
        assert rough(drawn[0], lid, rows) < 0.4 * rough(drawn[1], lid, rows)


def test_a_clean_lid_shows_itself(mona_source: PreparedPortrait) -> None:
    fit = mona_source.fit
    z = shut(fit.coefficients, 1.0)
    plain = SourceGeometry(fit.head, fit.coefficients, fit.albedo, np.full((512, 512, 3), 150, np.uint8))
    np.testing.assert_array_equal(mona_source.geometry.prior(z).flow, plain.prior(z).flow)
