"""Clips of telephones, which lie on the side in their file, are prepared, recorded and evaluated upright."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.errors import InputError
from engine.values import Coefficients, Face, Picture, Square
from engine.video import read_frames
from tests.trainer.rotated import write_rotated_clip
from trainer.data import drive
from trainer.regressor.evaluation import measures

HEIGHT, WIDTH = 96, 64


def clip() -> list[Picture]:
    """Six portrait pictures, red above, blue below."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[: HEIGHT // 2, :, 0] = picture[HEIGHT // 2 :, :, 2] = 220
    return [picture] * 6


def is_upright(image: Picture) -> bool:
    return image.shape == (HEIGHT, WIDTH, 3) and image[8, 32, 0] > 150 > image[-8, 32, 0]


class Watching:
    """A tracker that notes whether the pictures it is shown stand upright, and finds no face."""

    seen: list[bool]

    def __init__(self, mode: str) -> None:
        Watching.seen = []

    def track(self, image: Picture, time_s: float) -> Face:
        self.seen.append(is_upright(image))
        return Face(np.random.default_rng(0).uniform(10, 50, (478, 3)).astype(np.float32), np.zeros(52, np.float32), (64, 64))

    def __enter__(self) -> Watching:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Neutral:
    """A regressor that always answers the neutral face."""

    def meet(self, image: Picture, face: Face, square: Square) -> None:
        assert is_upright(image)

    def regress(self, image: Picture, face: Face, square: Square) -> Coefficients:
        assert is_upright(image)
        return Coefficients.neutral()


@pytest.fixture(params=[90, 270])
def rotated(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    write_rotated_clip(tmp_path / "phone.mp4", clip(), request.param)
    return tmp_path / "phone.mp4"


def test_prepared_frames_stand_upright(rotated: Path) -> None:
    assert [is_upright(frame.image) for frame in read_frames(rotated, per_second=25)] == [True] * 6


def test_a_regressor_is_evaluated_on_upright_frames(rotated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "Tracker", Watching)
    measures.evaluate_clip(rotated, {"landmarks": Neutral})  # type: ignore[dict-item]
    assert Watching.seen == [True] * 6


def test_a_drive_is_recorded_from_upright_frames(rotated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drive, "Tracker", Watching)
    monkeypatch.setattr(drive, "LandmarkRegressor", lambda head: Neutral())
    times, z = drive.record(rotated, 0.08, 1.0)
    assert Watching.seen == [True] * 4
    assert times[0] == pytest.approx(0.08)
    assert len(z) == 4
    with pytest.raises(InputError, match="shows no face"):
        drive.record(rotated, 5.0, 1.0)
