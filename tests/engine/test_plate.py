"""Plates: the background goes on behind the person, and what is kept on disk is only believed when it is whole."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.fill import texture
from engine.matte import surely_background
from engine.plate import KEPT, PlateStore, textured_plate
from engine.portrait import Portrait, with_plate
from engine.values import Floats, Picture

SIZE = 128
PERSON = np.array([230, 40, 200], np.uint8)  # a colour that the background has nowhere


@pytest.fixture(scope="module")
def curtain() -> Picture:
    """Green, coarsely and finely patterned."""
    rng = np.random.default_rng(5)
    waves = cv2.GaussianBlur(rng.normal(size=(SIZE, SIZE)), (0, 0), 1.2) * 4 + np.sin(np.arange(SIZE) * 0.35)[None]
    return np.clip(np.stack([60 + 12 * waves, 120 + 30 * waves, 50 + 10 * waves], -1), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def matte() -> Floats:
    alpha = np.zeros((SIZE, SIZE), np.float32)
    cv2.ellipse(alpha, (64, 74), (26, 34), 0, 0, 360, (1,), -1)
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), 1), np.float32)


@pytest.fixture(scope="module")
def crop(curtain: Picture, matte: Floats) -> Picture:
    return np.rint(matte[..., None] * PERSON + (1 - matte[..., None]) * curtain).astype(np.uint8)


@pytest.fixture(scope="module")
def plate(crop: Picture, matte: Floats) -> Picture:
    return textured_plate(crop, matte)


def detail(picture: Picture, where: np.ndarray) -> float:
    """Energy of the Laplacian of the green channel."""
    fine = cv2.Laplacian(picture[..., 1].astype(np.float32), cv2.CV_32F)
    return float((fine[where] ** 2).mean())


def test_what_is_uncovered_looks_like_the_background(plate: Picture, crop: Picture, matte: Floats) -> None:
    known = surely_background(matte)
    uncovered = (matte > 0.98) & (cv2.distanceTransform((matte > 0.02).astype(np.uint8), cv2.DIST_L2, 5) < 24)
    assert 0.5 < detail(plate, uncovered) / detail(crop, known) < 2
    for channel in range(3):
        assert abs(plate[uncovered][:, channel].mean() - crop[known][:, channel].mean()) < 12
    np.testing.assert_array_equal(plate[known], crop[known])


def test_nothing_of_the_person_is_in_the_plate(plate: Picture, curtain: Picture) -> None:
    assert plate[..., 0].max() <= int(curtain[..., 0].max()) + 6  # its red and blue are far below the person's
    assert plate[..., 2].max() <= int(curtain[..., 2].max()) + 6


def test_an_even_wall_stays_even(matte: Floats) -> None:
    wall = np.full((SIZE, SIZE, 3), (200, 190, 180), np.uint8)
    crop = np.rint(matte[..., None] * PERSON + (1 - matte[..., None]) * wall).astype(np.uint8)
    assert np.abs(textured_plate(crop, matte).astype(int) - wall).max() <= 2


def test_what_is_never_to_be_copied_is_neither_filled_nor_copied(curtain: Picture) -> None:
    picture, hole, never = curtain.copy(), np.zeros((SIZE, SIZE), bool), np.zeros((SIZE, SIZE), bool)
    picture[:, :40], never[:, :40], hole[:, 40:60] = PERSON, True, True
    filled = texture(picture, hole, never)
    np.testing.assert_array_equal(filled[never], picture[never])
    assert filled[:, 40:60, 0].max() < 150


def test_the_same_photograph_has_the_same_plate(plate: Picture, crop: Picture, matte: Floats) -> None:
    np.testing.assert_array_equal(textured_plate(crop, matte), plate)


def test_another_plate_changes_nothing_at_rest(hopper: Portrait) -> None:
    other = np.random.default_rng(0).integers(0, 256, hopper.plate.shape, np.uint8)
    other = np.where(surely_background(hopper.matte)[..., None], hopper.crop, other).astype(np.uint8)
    portrait = with_plate(hopper, other)
    composed = portrait.plate + portrait.matte[..., None] * (portrait.foreground.astype(np.float32) - portrait.plate)
    np.testing.assert_array_equal(np.floor(composed + 0.5), portrait.crop)


def test_a_kept_plate_is_found_by_its_photograph_only(tmp_path: Path, plate: Picture, crop: Picture, matte: Floats) -> None:
    store = PlateStore(tmp_path / "plates")
    assert store.find(crop, matte) is None
    np.testing.assert_array_equal(store.make(crop, matte), plate)
    found = PlateStore(tmp_path / "plates").find(crop, matte)
    assert found is not None
    np.testing.assert_array_equal(found, plate)
    assert store.find(255 - crop, matte) is None
    assert store.find(crop, 1 - matte) is None


@pytest.mark.parametrize("damage", [b"", b"not a plate", None])
def test_a_broken_file_is_ignored_and_written_anew(tmp_path: Path, crop: Picture, matte: Floats, damage: bytes | None) -> None:
    store = PlateStore(tmp_path)
    store.make(crop, matte)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-40] if damage is None else damage)
    assert store.find(crop, matte) is None
    store.make(crop, matte)
    assert file.read_bytes() == whole


def test_the_folder_does_not_grow_without_end(tmp_path: Path, crop: Picture, matte: Floats) -> None:
    for number in range(KEPT + 3):
        (tmp_path / f"{number}.plate").write_bytes(b"old")
    PlateStore(tmp_path).make(crop, matte)
    assert len(list(tmp_path.iterdir())) == KEPT
    assert PlateStore(tmp_path).find(crop, matte) is not None


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path: Path, plate: Picture, crop: Picture, matte: Floats) -> None:
    (tmp_path / "file").write_bytes(b"")
    np.testing.assert_array_equal(PlateStore(tmp_path / "file" / "plates").make(crop, matte), plate)
