"""A tracker whose gaze is weak, skewed and off is right after nine dots; eyes that do not follow change nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.conventions import rotation
from engine.errors import InputError
from engine.values import Coefficients, Floats
from tests.fakes import FakeClock, Said
from vcam.drive import DriveOptions
from vcam.drive.gaze import SETTLE_S, GazeCalibration
from vcam.drive.memory import RestMemory
from vcam.messages import Messages
from vcam.motion import Observation
from vcam.pipeline.driving import DrivingStage
from vcam.stats import Stats

DOTS = [(x, y) for y in (0.1, -0.1, -0.3) for x in (-0.35, 0.0, 0.35)]
WRONG = np.array([[0.5, 0.1], [-0.05, 0.4]])  # what the tracker makes of a true gaze, and by how much it is off
OFF = np.array([0.08, -0.05])


def looking(x: float, y: float, yaw: float = 0.0, noise: Floats | None = None) -> Coefficients:
    """What such a tracker says of a driver who looks there with a head turned by ``yaw``."""
    z = Coefficients.neutral()
    z.pose[1] = yaw
    true = (rotation(z.pose[:3]).T @ [x, y, np.sqrt(1 - x * x - y * y)])[:2]
    measured = WRONG @ true + OFF + (0 if noise is None else noise)
    z.gaze[:] = [*measured, *measured]
    return z


def calibrated(rng: np.random.Generator, *, follows: bool = True, turn: float = 0.3) -> GazeCalibration:
    calibration, time_s = GazeCalibration(), 0.0
    for x, y in DOTS:
        calibration.look(x, y, time_s)
        for _ in range(33):
            time_s += 1 / 30
            seen = (x, y) if follows else tuple(rng.uniform(-0.4, 0.4, 2))
            calibration.add(looking(*seen, yaw=turn * x, noise=rng.normal(0, 0.004, 2)), time_s)
    return calibration


def test_the_gaze_is_right_after_nine_dots() -> None:
    gaze, off_deg = calibrated(np.random.default_rng(0)).result()
    assert off_deg < 0.5
    for x, y in ((0.2, -0.2), (-0.3, 0.05)):
        np.testing.assert_allclose(gaze.corrected(looking(x, y).gaze), [x, y, x, y], atol=0.01)


def test_eyes_that_do_not_follow_are_refused() -> None:
    with pytest.raises(InputError, match="did not follow the dots"):
        calibrated(np.random.default_rng(1), follows=False).result()
    with pytest.raises(InputError, match="at 0 of 0 dots"):
        GazeCalibration().result()
    closed = GazeCalibration()
    closed.look(0, 0, 0)
    closed.add(looking(0, 0), SETTLE_S / 2)
    with pytest.raises(InputError, match="at 0 of 1 dots"):
        closed.result()
    for x in (0.95, float("nan")):
        with pytest.raises(InputError, match="before the driver"):
            closed.look(x, 0, 1)


def test_the_portrait_looks_where_the_driver_looks_also_at_the_next_start(tmp_path: Path) -> None:
    clock = FakeClock()
    path, messages, portrait = tmp_path / "rest.toml", Messages(Said(), clock), Coefficients.neutral()

    def start() -> DrivingStage:
        parts = {"clock": clock, "messages": messages, "stats": Stats(), "memory": RestMemory(path, messages)}
        stage = DrivingStage(DriveOptions(), **parts)
        stage.use(1, portrait, "me.jpg")
        return stage

    def see(stage: DrivingStage, x: float, y: float, seconds: float) -> Floats:
        shown = np.zeros(4, np.float32)
        for _ in range(round(30 * seconds)):
            clock.pass_time(1 / 30)
            frame = stage.step(Observation(looking(x, y), clock.now()), "webcam", remembered_as="webcam")
            assert frame is not None
            shown = frame.z.gaze
        return shown

    stage = start()
    assert abs(see(stage, 0.0, 0.0, 2)[0]) < 0.01
    for x, y in DOTS:
        stage.look(x, y)
        see(stage, x, y, 1.1)
    assert stage.finish_gaze("webcam") < 0.5
    np.testing.assert_allclose(see(stage, 0.2, -0.1, 0.5), [0.2, -0.1, 0.2, -0.1], atol=0.02)
    stage.keep()
    again = start()
    see(again, 0.0, 0.0, 0.5)
    np.testing.assert_allclose(see(again, 0.2, -0.1, 0.4), [0.2, -0.1, 0.2, -0.1], atol=0.02)
