"""Photographs becoming portraits, and photographs that cannot."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.errors import InputError
from engine.fill import fill
from engine.picture import read_picture
from engine.portrait import Portrait, make_portrait
from engine.values import Picture
from tests.engine.conftest import HOPPER


def test_the_face_is_person_and_the_corners_are_background(hopper: Portrait) -> None:
    x, y = hopper.face.landmarks[1, :2].astype(int)  # tip of the nose
    assert hopper.matte[y, x] == 1
    assert hopper.matte[5, 5] == hopper.matte[5, -5] == 0


def test_the_plate_keeps_nothing_of_the_face(hopper: Portrait) -> None:
    x, y = hopper.face.landmarks[1, :2].astype(int)
    detail = hopper.plate[y - 40 : y + 40, x - 40 : x + 40].astype(int)
    assert np.abs(np.diff(detail, axis=1)).max() < 12


def test_the_face_stands_in_the_middle_of_the_crop(mona: Portrait, hopper: Portrait) -> None:
    for portrait in (mona, hopper):
        points = portrait.face.landmarks[:, :2]
        assert portrait.crop.shape == (512, 512, 3)
        assert 200 < np.ptp(points[:, 1]) < 290
        assert 200 < points[:, 0].mean() < 312


def test_a_photograph_that_ends_at_the_hair_is_continued(hopper_photo: Picture) -> None:
    tight = np.ascontiguousarray(hopper_photo[80:340, 120:400])
    portrait = make_portrait(tight, "tight.png")
    half = portrait.square.side_px / 2
    height, width = portrait.photo.shape[:2]
    assert portrait.square.centre_x_px - half >= -1
    assert portrait.square.centre_y_px - half >= -1
    assert portrait.square.centre_x_px + half <= width + 1
    assert portrait.square.centre_y_px + half <= height + 1


def test_what_lies_beyond_the_photograph_has_its_texture() -> None:
    face = read_picture(HOPPER)[60:420, 60:460]
    noise = np.random.default_rng(1).normal(0, 25, (*face.shape[:2], 1))
    photo = face.copy()
    photo[:60] = np.clip(120 + noise[:60], 0, 255)  # a finely patterned wall above the head, cut off close to it
    portrait = make_portrait(photo[40:], "tight.png")
    missing = round((portrait.photo.shape[0] - len(photo) + 40) * 512 / portrait.square.side_px)
    assert missing > 20
    above = portrait.crop[4 : missing - 4, 150:350, 1].astype(float)
    assert np.abs(np.diff(above, axis=0)).mean() > 3  # streaks would not change downward
    assert abs(above.mean() - 120) < 15


def test_of_several_faces_the_largest_is_used_and_the_user_is_told(mona: Portrait, hopper_photo: Picture) -> None:
    small = cv2.resize(mona.photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    both = np.full((max(len(small), len(hopper_photo)), small.shape[1] + hopper_photo.shape[1], 3), 128, np.uint8)
    both[: len(small), : small.shape[1]] = small
    both[: len(hopper_photo), small.shape[1] :] = hopper_photo
    portrait = make_portrait(both, "both.png")
    assert portrait.square.centre_x_px > small.shape[1]
    assert "several faces" in portrait.notes[0]


def test_a_single_face_needs_no_note(mona: Portrait, hopper: Portrait) -> None:
    assert mona.notes == hopper.notes == ()


def test_a_picture_without_a_face_is_refused() -> None:
    grey = np.full((400, 400, 3), 120, np.uint8)
    with pytest.raises(InputError, match=r"No face was found in wall\.png\. Wanted"):
        make_portrait(grey, "wall.png")


def test_a_tiny_face_is_refused_with_its_size(hopper_photo: Picture) -> None:
    tiny = np.asarray(cv2.resize(hopper_photo, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA), np.uint8)
    with pytest.raises(InputError, match=r"is \d\d px high\. Wanted: at least 96 px"):
        make_portrait(tiny, "tiny.png")


def test_filling_keeps_what_is_known_and_stays_within_its_range() -> None:
    values = np.random.default_rng(0).uniform(2, 3, (40, 50)).astype(np.float32)
    known = np.zeros((40, 50), bool)
    known[5:9, 5:30] = True
    filled = fill(values, known)
    np.testing.assert_allclose(filled[known], values[known], rtol=1e-5)
    assert 2 <= filled.min() <= filled.max() <= 3
