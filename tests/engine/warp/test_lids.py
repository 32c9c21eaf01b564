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
SKIN = (205, 160, 140)


def shut(z: Coefficients, share: float) -> Coefficients:
    beta = z.expression.copy()
    beta[BLINKS] += share * (1 - beta[BLINKS])
    return replace(z, expression=beta)


def eyes(portrait: Portrait) -> list[tuple[slice, slice]]:
    """Rows and columns of the middles of both eyes."""
    points, found = portrait.face.landmarks[:, :2], []
    for edge, lower, (inner, outer) in zip(EDGE, LOWER, CORNERS, strict=True):
        left, right = sorted((points[inner, 0], points[outer, 0]))
        rows = slice(round(points[edge, 1]), round(points[lower, 1]))
        found.append((rows, slice(round(left + 0.3 * (right - left)), round(right - 0.3 * (right - left)))))
    return found


def drawn(source: PreparedPortrait, photo: Picture, share: float) -> Floats:
    """(512, 512, 3) what geometry makes of a photograph of this face, its eyes shut by a share."""
    fit = source.fit
    prior = SourceGeometry(fit.head, fit.coefficients, fit.albedo, photo).prior(shut(fit.coefficients, share))
    places = (pixel_grid(512) + prior.flow + 1) * 256 - 0.5
    moved = cv2.remap(photo, places[..., 0], places[..., 1], cv2.INTER_LINEAR)
    weight = prior.render_weight[..., None]
    return np.asarray((1 - weight) * moved + weight * prior.render, np.float32)


@pytest.fixture
def lashes(hopper: Portrait) -> Picture:
    """A clean face with dark eyes, long lashes over its lids, and the rim of spectacles below its brows."""
    picture = np.full((512, 512, 3), SKIN, np.uint8)
    points = hopper.face.landmarks[:, :2]
    for edge, lower, brow, (inner, outer) in zip(EDGE, LOWER, BROW, CORNERS, strict=True):
        left, right = sorted((points[inner, 0], points[outer, 0]))
        middle, height = (points[edge] + points[lower]) / 2, points[lower, 1] - points[edge, 1]
        cv2.ellipse(
            picture, middle.round().astype(int).tolist(), (round((right - left) / 2), round(height / 2)), 0, 0, 360, 30, -1
        )
        for x in np.arange(left, right, 5.0):
            cv2.line(
                picture, (round(x), round(points[edge, 1])), (round(x), round(points[edge, 1] - 0.5 * height)), (20, 15, 10), 2
            )
        rim = rim_row(hopper, edge, brow)
        cv2.line(picture, (round(left - 10), rim), (round(right + 10), rim), (10, 10, 60), 3)
    return picture


def rim_row(portrait: Portrait, edge: int, brow: int) -> int:
    points = portrait.face.landmarks
    return round(0.25 * points[edge, 1] + 0.75 * points[brow, 1])


def rough(picture: Floats, rows: slice, columns: slice) -> float:
    """Contrast from side to side [levels]."""
    return float(np.abs(np.diff(picture[rows, columns].mean(2), axis=1)).mean())


def test_a_shut_eye_shows_skin_and_no_stretched_lashes(
    hopper: Portrait, hopper_source: PreparedPortrait, lashes: Picture
) -> None:
    picture = drawn(hopper_source, lashes, 1.0)
    for rows, columns in eyes(hopper):
        lid = slice(rows.start, round(0.4 * rows.start + 0.6 * rows.stop))
        assert rough(picture, lid, columns) < 4
        np.testing.assert_allclose(picture[lid, columns].mean((0, 1)), SKIN, atol=35)


def test_a_shut_eye_ends_in_a_dark_line(hopper: Portrait, hopper_source: PreparedPortrait, lashes: Picture) -> None:
    picture = drawn(hopper_source, lashes, 1.0).mean(2)
    for rows, columns in eyes(hopper):
        around = picture[rows.stop - 4 : rows.stop + 4, columns]
        assert (around.min(0) < 0.7 * np.mean(SKIN)).mean() > 0.7


def test_lids_move_under_a_rim_that_stays(hopper: Portrait, hopper_source: PreparedPortrait, lashes: Picture) -> None:
    picture = drawn(hopper_source, lashes, 1.0)
    for (_, columns), edge, brow in zip(eyes(hopper), EDGE, BROW, strict=True):
        row = rim_row(hopper, edge, brow)
        around = slice(row - 4, row + 5)
        change = np.abs(picture[around, columns] - lashes[around, columns]).mean()
        assert change < 0.2 * np.abs(np.float32(SKIN) - lashes[row, columns]).mean()


def test_half_shut_the_lower_half_of_the_eye_is_seen(hopper: Portrait, hopper_source: PreparedPortrait, lashes: Picture) -> None:
    picture = drawn(hopper_source, lashes, 0.5).mean(2)
    for rows, columns in eyes(hopper):
        height = rows.stop - rows.start
        upper = picture[rows.start : rows.start + height // 5, columns].mean()
        lower = picture[rows.stop - height // 3 : rows.stop - 1, columns].mean()
        assert upper > 110 > lower


def test_where_a_lid_is_drawn_the_refiner_is_not_asked(hopper_source: PreparedPortrait) -> None:
    geometry, z = hopper_source.geometry, hopper_source.coefficients
    np.testing.assert_array_equal(geometry.prior(z).trust, 1)
    left = replace(z, expression=z.expression.copy())
    left.expression[BLINKS.start] = 1
    np.testing.assert_array_equal(geometry.prior(left).trust, [1, 1, 0])  # mouth, right, left eye
