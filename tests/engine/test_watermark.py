"""The invisible mark: weak, found after compression, cropping and scaling, and in nothing else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.picture import read_picture
from engine.values import Picture
from engine.watermark import FOUND, TILE, Watermark, fold, found_in, tile
from tests.engine.conftest import HOPPER, MONA_LISA

SIZE = (1280, 720)


@pytest.fixture(scope="module")
def photo() -> Picture:
    """A painting full of fine detail, as a picture of the camera."""
    whole = read_picture(MONA_LISA)
    return np.asarray(cv2.resize(whole[100:520], SIZE, interpolation=cv2.INTER_CUBIC), np.uint8)


def compressed(picture: Picture, quality: int = 30) -> Picture:
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def test_the_mark_is_weak(photo: Picture) -> None:
    marked = Watermark(SIZE).mark(photo)
    change = marked.astype(int) - photo
    assert np.abs(change).max() <= 4
    assert 10 * np.log10(255**2 / np.mean(change**2)) > 43


def test_it_is_found_in_a_picture_that_was_cropped_scaled_mirrored_and_compressed(photo: Picture) -> None:
    marked = Watermark(SIZE).mark(photo)
    cropped = cv2.resize(marked[90:630, 200:1160], (640, 360), interpolation=cv2.INTER_AREA)
    finding = found_in([compressed(np.ascontiguousarray(cropped[:, ::-1]))])
    assert finding.found
    assert finding.mirrored
    assert finding.size == pytest.approx(720 / 540, rel=0.01)


def test_it_is_not_found_where_it_is_not(photo: Picture) -> None:
    other = np.asarray(cv2.resize(read_picture(HOPPER), (512, 600)), np.uint8)
    noise = np.random.default_rng(3).integers(0, 256, (360, 640, 3), np.uint8)
    for picture in (photo, other, noise, np.zeros((360, 640, 3), np.uint8)):
        assert not found_in([picture]).found, FOUND


def test_pictures_of_one_video_add_up(photo: Picture) -> None:
    marked, random = Watermark(SIZE).mark(photo).astype(np.int16), np.random.default_rng(5)
    noisy = [np.clip(marked + random.integers(-200, 201, marked.shape), 0, 255).astype(np.uint8) for _ in range(3)]
    assert found_in(noisy).score > found_in(noisy[:1]).score + 1


def test_without_pictures_nothing_can_be_said() -> None:
    with pytest.raises(ValueError, match="got none"):
        found_in([])


def test_folding_adds_up_what_repeats() -> None:
    whole = np.tile(tile(), (3, 5))
    shifted = whole[10:, 7 : 4 * TILE]
    folded = fold(shifted, 1.0)
    assert np.corrcoef(np.roll(folded, (10, 7), (0, 1)).ravel(), tile().ravel())[0, 1] > 0.9
