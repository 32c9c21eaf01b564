"""Reading the detector's answers."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.track.regions import DETECTOR_PX, Region, anchors, faces_in, fitted, overlap, region_of, warp
from engine.values import Floats

PLACES = anchors()


def answers(*faces: tuple[int, float, float, float]) -> tuple[Floats, Floats]:
    """Boxes and logits that know a face at each anchor of that number: its score, its side and a shift along x [crops]."""
    boxes, logits = np.zeros((len(PLACES), 16), np.float32), np.full(len(PLACES), -50, np.float32)
    for number, score, side, shift in faces:
        boxes[number, [0, 2, 3]] = np.array([shift, side, side]) * DETECTOR_PX
        boxes[number, 4:8] = np.array([shift - 0.1, 0, shift + 0.1, 0.05]) * DETECTOR_PX
        logits[number] = np.log(score / (1 - score))
    return boxes, logits


def test_there_are_as_many_anchors_as_answers() -> None:
    assert PLACES.shape == (896, 2)
    np.testing.assert_allclose(
        PLACES[[0, 1, 2, 511, 512, 895]], [[1 / 32] * 2] * 2 + [[3 / 32, 1 / 32], [31 / 32] * 2, [1 / 16] * 2, [15 / 16] * 2]
    )


def test_boxes_of_one_face_are_averaged_and_the_surest_face_comes_first() -> None:
    low, high = 40, 800
    found = faces_in(*answers((low, 0.6, 0.2, 0), (high, 0.9, 0.3, 0.0), (high + 1, 0.6, 0.3, 0.03), (3, 0.4, 0.3, 0)), PLACES)
    assert len(found) == 2
    x, y = PLACES[high]
    assert np.allclose(PLACES[high], PLACES[high + 1])
    mean = 0.03 * 0.6 / 1.5
    np.testing.assert_allclose(found[0, :4], [x - 0.15 + mean, y - 0.15, x + 0.15 + mean, y + 0.15], atol=1e-5)
    np.testing.assert_allclose(found[1, :4], [*(PLACES[low] - 0.1), *(PLACES[low] + 0.1)], atol=1e-5)


def test_nothing_sure_is_no_face() -> None:
    boxes, logits = answers((5, 0.45, 0.2, 0))
    assert faces_in(boxes, logits, PLACES).shape == (0, 8)
    assert faces_in(boxes * np.nan, logits * np.nan, PLACES).shape == (0, 8)


def test_overlap_is_intersection_over_union() -> None:
    boxes = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]], np.float32)
    np.testing.assert_allclose(overlap(boxes, boxes[0]), [1, 1 / 3, 0])


@pytest.mark.parametrize("shape", [(480, 640), (640, 480)])
def test_the_whole_picture_fits_into_the_square(shape: tuple[int, int]) -> None:
    height, width = shape
    square, place = fitted(np.full((*shape, 3), 200, np.uint8))
    assert (square[DETECTOR_PX // 2, DETECTOR_PX // 2] == 200).all()
    assert square[..., 0].mean() == pytest.approx(150, abs=2)
    np.testing.assert_allclose(place, [640, (width - 640) / 2, (height - 640) / 2])
    region = region_of(np.array([0.4, 0.4, 0.6, 0.6, 0.45, 0.5, 0.55, 0.5], np.float32), place)
    np.testing.assert_allclose(region.centre, [width / 2, height / 2])
    np.testing.assert_allclose(region.size, [192, 192], rtol=1e-5)
    assert region.angle_rad == 0


def test_a_region_is_cut_and_its_points_come_back() -> None:
    picture = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8), (0, 0), 3)
    region = Region(np.array([150, 100], np.float32), np.array([90, 80], np.float32), 0.4)
    crop = region.cut(picture, 256)
    points = np.array([[0.5, 0.5, 0.1], [0.2, 0.3, 0], [0.9, 0.6, 0]], np.float32)
    there = region.to_picture(points)
    np.testing.assert_allclose(there[0], [150, 100, 9], atol=1e-4)
    for (u, v, _), (x, y, _) in zip(points, there, strict=True):
        nearby = warp(picture, np.array([[1, 0, x], [0, 1, y]]), 1, cv2.BORDER_REPLICATE)[0, 0]
        assert np.abs(crop[round(v * 256), round(u * 256)].astype(int) - nearby).max() <= 4
