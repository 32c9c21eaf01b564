"""Targets are brought to where geometry expects them, and stay what they are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.portrait import Portrait, load_portrait
from engine.values import Picture
from tests.engine.conftest import HOPPER, psnr
from trainer.generator.registration import registered

INSIDE = slice(40, -40)


def shifted(picture: Picture, x_px: float, y_px: float) -> Picture:
    place = np.float32([[1, 0, x_px], [0, 1, y_px]])
    return np.asarray(
        cv2.warpAffine(picture, place, picture.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    )


@pytest.fixture(scope="module")
def hopper() -> Portrait:
    return load_portrait(HOPPER)


def test_a_displaced_target_comes_back(hopper: Portrait) -> None:
    drawn = hopper.crop
    target = shifted(drawn, 3.0, -2.0)
    before, after = (psnr(picture[INSIDE, INSIDE], drawn[INSIDE, INSIDE]) for picture in (target, registered(target, drawn)))
    assert after > before + 8


def test_what_is_in_place_stays(hopper: Portrait) -> None:
    drawn = hopper.crop
    assert psnr(registered(drawn, drawn)[INSIDE, INSIDE], drawn[INSIDE, INSIDE]) > 45


def test_what_geometry_cannot_know_is_not_moved_away(hopper: Portrait) -> None:
    """A mark on the cheek that only the camera saw is still there."""
    target = hopper.crop.copy()
    x, y = hopper.face.landmarks[50, :2].astype(int)
    cv2.circle(target, (int(x), int(y)), 5, (0, 0, 255), -1)
    found = registered(target, hopper.crop)[y - 3 : y + 4, x - 3 : x + 4].astype(int)
    assert (found[..., 2] - found[..., 0]).mean() > 150
