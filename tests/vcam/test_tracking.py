"""The stage between camera and drive: whom it meets, and in which part of the picture it looks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest

from engine.head import load_head
from engine.picture import read_picture
from engine.regress.landmarks import LandmarkRegressor
from engine.track import Tracker
from engine.values import Coefficients, Face, Picture, Square
from engine.video import Frame
from tests.fakes import FakeClock, FakeRegressor, FakeTracker, Said, flat
from vcam.avatars.avatar import BUNDLED_PORTRAIT
from vcam.messages import Messages
from vcam.sources.tracking import TrackingStage
from vcam.stats import Stats


class Watched(FakeRegressor):
    """Keeps the squares that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.squares: list[Square] = []

    def regress(self, image: Picture, face: Face, square: Square) -> Coefficients:
        self.squares.append(square)
        return super().regress(image, face, square)


def stage(tracker: Any, regressor: Any) -> TrackingStage:
    clock = FakeClock()
    return TrackingStage(lambda: tracker, lambda: regressor, clock=clock, messages=Messages(Said(), clock), stats=Stats())


def faces(*sizes: tuple[int, int]) -> Iterator[Face]:
    points = np.random.default_rng(0).uniform(0.3, 0.6, (478, 3)).astype(np.float32)
    for width, height in sizes:
        yield Face(points * width, np.zeros(52, np.float32), (width, height))


def observe(stage: TrackingStage, sizes: list[tuple[int, int]]) -> list[int]:
    """The numbers of the drivers that were seen."""
    numbers = []
    for k, size in enumerate(sizes):
        observation = stage.observe(Frame(flat((0, 0, 0), *size), k / 30))
        assert observation is not None
        numbers.append(observation.driver_number)
    return numbers


@pytest.mark.parametrize("sizes", [[(640, 360), (320, 180)], [(320, 240), (640, 480), (1280, 960)], [(640, 480), (641, 480)]])
def test_the_square_keeps_its_place_when_the_resolution_changes(sizes: list[tuple[int, int]]) -> None:
    regressor = Watched()
    assert set(observe(stage(FakeTracker(faces(*sizes)), regressor), sizes)) == {0}
    assert regressor.met == 1
    first = regressor.squares[0]
    for (width, _), square in zip(sizes, regressor.squares, strict=True):
        factor = width / sizes[0][0]
        assert (square.centre_x_px, square.centre_y_px, square.side_px) == pytest.approx(
            (first.centre_x_px * factor, first.centre_y_px * factor, first.side_px * factor)
        )


def test_a_camera_that_crops_differently_meets_the_driver_anew() -> None:
    regressor, sizes = Watched(), [(640, 480), (640, 360), (640, 360)]
    assert observe(stage(FakeTracker(faces(*sizes)), regressor), sizes) == [0, 1, 1]
    assert regressor.met == 2


def test_somebody_else_is_met_and_counted() -> None:
    regressor, sizes = Watched(), [(64, 48)] * 4
    tracker = FakeTracker(faces(*sizes))
    tracking = stage(tracker, regressor)
    assert observe(tracking, sizes[:2]) == [0, 0]
    tracker.person = 1
    assert observe(tracking, sizes[2:]) == [1, 1]
    assert regressor.met == 2


def test_motion_goes_on_through_a_change_of_resolution() -> None:
    photo = cv2.resize(read_picture(BUNDLED_PORTRAIT), (480, 640))
    with Tracker("video") as tracker:
        tracking = stage(tracker, LandmarkRegressor(load_head()))
        poses = []
        for k, size in enumerate([(480, 640), (240, 320), (720, 960), (480, 640)]):
            image = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
            observation = tracking.observe(Frame(image, k / 30))
            assert observation is not None
            assert observation.driver is not None
            poses.append(observation.driver.pose)
    assert np.abs(np.array(poses) - poses[0]).max(0)[:3].max() < np.radians(3)
    assert np.abs(np.array(poses) - poses[0])[:, 3:5].max() < 0.1  # dm, across and up
    assert np.abs(np.array(poses) - poses[0])[:, 5].max() < 0.5  # of some 7 dm away
