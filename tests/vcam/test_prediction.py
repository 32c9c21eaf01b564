"""Between two results of a slow tracker the motion goes on: bounded, and never where it is not known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.values import Coefficients
from vcam.motion import MotionFrame
from vcam.pipeline.prediction import AHEAD_S, GAIN, MotionPredictor


def moment(
    time_s: float | None, yaw_rad: float = 0.0, jaw: float = 0.0, state: str = "driving", avatar_id: int = 1
) -> MotionFrame:
    z = Coefficients.neutral()
    expression, pose = z.expression.copy(), z.pose.copy()
    expression[24], pose[1] = jaw, yaw_rad
    moved = replace(z, expression=expression, pose=pose)
    return MotionFrame(moved, state, time_s or 0.0, time_s, "test", avatar_id)  # type: ignore[arg-type]


def predictor_after(*moments: MotionFrame) -> MotionPredictor:
    predictor = MotionPredictor(1 / 30)
    for number, item in enumerate(moments):
        predictor.learn(item, 10 + number / 15)
    return predictor


def test_a_steady_movement_goes_on_between_two_results() -> None:
    predictor = predictor_after(moment(1.0, 0.00, 0.2), moment(1 + 1 / 15, 0.10, 0.3))
    predicted = predictor.predict(10 + 1 / 15 + 1 / 30)
    assert predictor.active
    assert predicted is not None
    assert predicted.captured_s is None
    assert predicted.state == "driving"
    assert predicted.z.pose[1] == pytest.approx(0.10 + GAIN * 0.05, abs=1e-5)
    assert predicted.z.expression[24] == pytest.approx(0.3 + GAIN * 0.05, abs=1e-5)


def test_it_ends_soon() -> None:
    predictor = predictor_after(moment(1.0), moment(1.2, 0.1))
    assert predictor.predict(10 + 1 / 15 + AHEAD_S - 0.001) is not None
    assert predictor.predict(10 + 1 / 15 + AHEAD_S + 0.001) is None


def test_expressions_stay_in_their_range() -> None:
    predicted = predictor_after(moment(1.0, jaw=0.2), moment(1 + 1 / 15, jaw=0.99)).predict(10 + 1 / 15 + 0.05)
    assert predicted is not None
    assert predicted.z.expression[24] == 1


@pytest.mark.parametrize(
    "moments",
    [
        [],
        [moment(1.0)],
        [moment(1.0), moment(1 + 1 / 30, 0.1)],  # as fast as the output: nothing to fill
        [moment(1.0), moment(1.5, 0.1)],  # too long ago to tell a speed
        [moment(1.0), moment(1 + 1 / 15, 0.1, state="holding")],
        [moment(1.0), moment(None, 0.1)],
        [moment(1.0), moment(1 + 1 / 15, 0.1, avatar_id=2)],
    ],
)
def test_where_no_speed_is_known_nothing_is_predicted(moments: list[MotionFrame]) -> None:
    predictor = predictor_after(*moments)
    assert not predictor.active
    assert predictor.predict(10.07) is None


def test_predictions_leave_the_measured_motion_as_it_is() -> None:
    last = moment(1 + 1 / 15, 0.1)
    before = last.z.vector().copy()
    predictor_after(moment(1.0), last).predict(10 + 1 / 15 + 0.03)
    assert np.array_equal(last.z.vector(), before)
