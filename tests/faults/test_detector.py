"""The detector finds pasted pictures of the webcam in all sizes and opacities, and nothing where there is none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.values import Picture
from tests.faults.code import HEIGHT, WIDTH, LeakDetector, coded
from tests.faults.rig import FaultyWebcam, actor
from vcam.avatars.avatar import BUNDLED_PORTRAIT

pytestmark = pytest.mark.faults

SIZE = 512
PICTURES = 130
LATE = 3  # frames
FACE = (slice(60, 270), slice(215, 425))  # in the webcam's frame


def avatar(number: int) -> Picture:
    """What could be sent: a portrait that follows the actor."""
    photo = cv2.resize(cv2.cvtColor(cv2.imread(str(BUNDLED_PORTRAIT)), cv2.COLOR_BGR2RGB), (SIZE, SIZE))
    turn = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), 6 * np.sin((number - LATE) / 12), 1)
    return np.asarray(cv2.warpAffine(photo, turn, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT), np.uint8)


def pasted(picture: Picture, part: Picture, opacity: float, at: tuple[int, int]) -> Picture:
    """The picture with the part over it."""
    y, x = at
    part = part[: SIZE - y, : SIZE - x]
    mixed = picture.astype(np.float32)
    place = mixed[y : y + part.shape[0], x : x + part.shape[1]]
    place += opacity * (part - place)
    return mixed.astype(np.uint8)


def looked(size: float, opacity: float, face_only: bool = False, frozen: bool = False) -> LeakDetector:
    """A detector that has looked at pictures with the webcam's frames in them, ``size`` of the picture's height high."""
    detector, webcam = LeakDetector(), FaultyWebcam()
    for number in range(PICTURES):
        frame = webcam.frame(1 if frozen else max(1, number - LATE))[..., ::-1]
        scale = size * SIZE / HEIGHT
        part = cv2.resize(frame[FACE] if face_only else frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        at = (0, 0) if size == 1 else (100, 60)
        detector.look(pasted(avatar(number), np.asarray(part, np.uint8), opacity, at), number)
    detector.look_at_sequence()
    return detector


def test_the_code_is_in_the_face_too() -> None:
    plain = actor()
    assert np.abs(coded(plain, 1)[FACE].astype(int) - plain[FACE]).mean() > 10
    assert coded(plain, 1).shape == (HEIGHT, WIDTH, 3)


def test_nothing_is_found_where_nothing_is() -> None:
    assert looked(1, 0).found == []


@pytest.mark.parametrize("opacity", [1, 0.5, 0.25, 0.1])
@pytest.mark.parametrize("size", [1, 0.5, 0.25])
def test_a_pasted_frame_is_found(size: float, opacity: float) -> None:
    assert looked(size, opacity).found


@pytest.mark.parametrize("opacity", [1, 0.5, 0.25])
def test_a_pasted_face_is_found(opacity: float) -> None:
    assert looked(0.95, opacity, face_only=True).found


@pytest.mark.parametrize("size", [1, 0.5])
def test_a_frame_that_stands_still_is_found(size: float) -> None:
    assert looked(size, 1, frozen=True).found


def test_a_frame_that_is_seen_once_is_found() -> None:
    detector, webcam = LeakDetector(), FaultyWebcam()
    for number in range(60):
        picture = avatar(number)
        whole = cv2.resize(webcam.frame(40)[..., ::-1], None, fx=SIZE / HEIGHT, fy=SIZE / HEIGHT)
        shown = whole[:, :SIZE] if number == 40 else picture
        detector.look(np.asarray(shown, np.uint8), number)
    assert next(found.picture for found in detector.found) == 41
