"""Which pictures of a video make an avatar."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import InputError
from engine.picture import read_picture
from engine.portrait import FaceInPhotograph, find_face
from engine.values import EXPRESSION_NAMES, Face, Picture
from engine.video import Frame
from vcam.avatars.avatar import BUNDLED_PORTRAIT
from vcam.takes import choose, write_takes


@pytest.fixture(scope="module")
def found() -> FaceInPhotograph:
    return find_face(read_picture(BUNDLED_PORTRAIT), "the portrait")


def showing(found: FaceInPhotograph, **scores: float) -> Face:
    blendshapes = np.zeros_like(found.face.blendshapes)
    for name, value in scores.items():
        blendshapes[EXPRESSION_NAMES.index(name)] = value
    landmarks = found.face.landmarks.copy()
    landmarks[1, 0] = (landmarks[234, 0] + landmarks[454, 0]) / 2  # seen from the front
    return replace(found.face, landmarks=landmarks, blendshapes=blendshapes)


def frame(picture: Picture, time_s: float) -> Frame:
    return Frame(picture, time_s)


def test_of_each_kind_the_picture_that_shows_it_most_is_taken_if_it_is_sharp(found: FaceInPhotograph, tmp_path: Path) -> None:
    crop = found.crop
    blurred = np.asarray(cv2.GaussianBlur(crop, (0, 0), 6), np.uint8)
    faces = [
        (frame(crop, 0.0), showing(found)),
        (frame(crop, 1.0), showing(found, jawOpen=0.5)),
        (frame(crop, 2.0), showing(found, jawOpen=0.7)),
        (frame(blurred, 3.0), showing(found, jawOpen=0.9)),
        (frame(crop, 4.0), showing(found, eyeBlinkLeft=0.9, eyeBlinkRight=0.2)),  # a wink
    ]
    takes = choose(faces, "the clip")
    assert [(take.name, take.time_s) for take in takes] == [("0-rest", 0.0), ("2-open", 2.0)]
    paths = write_takes(takes, tmp_path / "me")
    assert [path.name for path in paths] == ["0-rest.jpg", "2-open.jpg"]
    assert read_picture(paths[0]).shape == crop.shape
    with pytest.raises(InputError, match="is there already"):
        write_takes(takes, tmp_path / "me")


def test_a_video_without_a_face_is_refused() -> None:
    with pytest.raises(InputError, match="shows no face"):
        choose([], "the clip")
