"""Photographs becoming portraits, and photographs that cannot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.crop import face_size, square_around
from engine.errors import InputError
from engine.fill import fill
from engine.picture import read_picture
from engine.portrait import Portrait, find_face, make_portrait
from engine.track import Tracker
from engine.values import Face, Floats, Picture
from tests.engine.conftest import HOPPER, MONA_LISA

LEFT_EYE, RIGHT_EYE = [33, 133, 159, 145], [263, 362, 386, 374]  # corners and middles of the lids
MOUTH = [61, 291, 0, 17]  # corners and middles of the lips


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
    photo = read_picture(HOPPER)[:420, 30:435].copy()
    noise = np.random.default_rng(1).normal(0, 25, (270, 55, 1))
    photo[:270, 350:] = np.clip(120 + noise, 0, 255)  # a finely patterned wall beside the head, cut off
    portrait = make_portrait(photo, "tight.png")
    left = round(512 * (1 - (portrait.photo.shape[1] - photo.shape[1]) / portrait.square.side_px))
    assert left < 490
    beside = portrait.crop[:250, left + 4 :, 1].astype(float)
    assert np.abs(np.diff(beside, axis=1)).mean() > 3  # streaks would not change sideways
    assert abs(beside.mean() - 120) < 15


@pytest.mark.parametrize(("path", "margin"), [(MONA_LISA, 0.05), (MONA_LISA, 0.1), (MONA_LISA, 0.25), (HOPPER, 0.1)])
def test_beyond_the_border_of_a_tight_photograph_there_is_no_further_face(path: Path, margin: float) -> None:
    tight, expected = _tight(read_picture(path), margin)
    portrait = make_portrait(tight, "tight.png")
    with Tracker("picture") as tracker:
        (found,) = tracker.find_all(portrait.crop)
    for landmarks in (found.landmarks, portrait.face.landmarks):
        assert np.linalg.norm(landmarks[:, :2] - expected, axis=1).mean() < 4
    for part in (LEFT_EYE, RIGHT_EYE, MOUTH):
        assert _likeness_elsewhere(portrait, part) < 0.75


def _likeness_elsewhere(portrait: Portrait, part: list[int]) -> float:
    """The highest correlation of a part of the face with the crop where it is not in or near its own place, −1…1."""
    points = portrait.face.landmarks[part, :2]
    (left, top), (right, bottom) = (points.min(0) - 8).astype(int), (points.max(0) + 8).astype(int)
    likeness = cv2.matchTemplate(portrait.crop, portrait.crop[top:bottom, left:right], cv2.TM_CCOEFF_NORMED)
    size = face_size(portrait.face)
    y, x = np.indices(likeness.shape)
    return float(likeness[np.hypot(x - left, y - top) > 0.6 * size].max())


@pytest.mark.parametrize("is_found", [True, False])
def test_the_face_in_the_crop_is_the_one_of_the_photograph(
    hopper_photo: Picture, is_found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class WithAnother(Tracker):
        """Finds in crops a larger face beside the person's, and theirs only if ``is_found``."""

        def find_all(self, image: Picture) -> list[Face]:
            found = super().find_all(image)
            if image.shape[:2] != (512, 512):
                return found
            another = [replace(face, landmarks=1.3 * face.landmarks - 200) for face in found]
            return another + found if is_found else another

    monkeypatch.setattr("engine.portrait.Tracker", WithAnother)
    tight, expected = _tight(hopper_photo, 0.35)
    portrait = make_portrait(tight, "tight.png")
    assert np.linalg.norm(portrait.face.landmarks[:, :2] - expected, axis=1).mean() < 4


def _tight(photo: Picture, margin: float) -> tuple[Picture, Floats]:
    """The photo cut off so many face heights around the face, and where (478, 2) the face should lie in the portrait's crop."""
    with Tracker("picture") as tracker:
        (face,) = tracker.find_all(photo)
    points, room = face.landmarks[:, :2], margin * face_size(face)
    left, top = np.maximum(points.min(0) - room, 0).astype(int)
    right, bottom = (points.max(0) + room).astype(int)
    square = square_around(face)
    corner = np.array([square.centre_x_px, square.centre_y_px], np.float32) - square.side_px / 2
    return np.ascontiguousarray(photo[top:bottom, left:right]), (points - corner) * np.float32(512 / square.side_px)


def _cut(photo: Picture, side: str, beyond: float) -> Picture:
    """The photo that ends so many face heights inside the face on one side; a negative number is room beside it."""
    with Tracker("picture") as tracker:
        (face,) = tracker.find_all(photo)
    points, size = face.landmarks[:, :2], face_size(face)
    left, top = np.maximum(points.min(0) + beyond * size, 0).astype(int)
    right, bottom = np.maximum(points.max(0) - beyond * size, 0).astype(int)
    cut = {"left": photo[:, left:], "right": photo[:, :right], "top": photo[top:], "bottom": photo[:bottom]}
    return np.ascontiguousarray(cut[side])


@pytest.mark.parametrize("beyond", [-0.05, 0.03, 0.08])
@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_a_head_cut_off_by_the_edge_is_said(side: str, beyond: float) -> None:
    photo = _cut(read_picture(MONA_LISA), side, beyond)
    (note,) = find_face(photo, "cut.png").notes
    words = {"left": "on the left", "right": "on the right", "top": "at the top", "bottom": "at the bottom"}
    assert note.startswith(f"cut.png ends too close to the face {words[side]}: what is missing of the head")


@pytest.mark.parametrize(("side", "beyond"), [("left", 0.2), ("right", 0.3), ("bottom", 0.22)])
def test_a_face_without_its_eyes_or_mouth_is_refused(side: str, beyond: float) -> None:
    with pytest.raises(InputError, match=r"The face in cut\.png is cut off by the picture's edge\. Wanted"):
        find_face(_cut(read_picture(MONA_LISA), side, beyond), "cut.png")


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_a_head_with_room_around_it_needs_no_note(side: str) -> None:
    assert find_face(_cut(read_picture(MONA_LISA), side, -0.35), "room.png").notes == ()


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
