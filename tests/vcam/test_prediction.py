"""Between two results of a slow tracker the motion goes on: bounded, and never where it is not known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.values import Coefficients
from tests.fakes import FakeMotion, fake_avatar
from vcam.cue import Cue
from vcam.prediction import AHEAD_S, GAIN, Predictor

AVATAR = fake_avatar()


def cue(time_s: float | None, yaw_rad: float = 0.0, jaw: float = 0.0, state: str = "driving", avatar: object = AVATAR) -> Cue:
    z = Coefficients.neutral()
    expression, pose = z.expression.copy(), z.pose.copy()
    expression[24], pose[1] = jaw, yaw_rad
    return Cue(avatar, FakeMotion(replace(z, expression=expression, pose=pose), state), time_s, face_found=True)  # type: ignore[arg-type]


def predictor_after(*cues: Cue) -> Predictor:
    predictor = Predictor(1 / 30)
    for number, item in enumerate(cues):
        predictor.learn(item, 10 + number / 15)
    return predictor


def test_a_steady_movement_goes_on_between_two_results() -> None:
    predictor = predictor_after(cue(1.0, 0.00, 0.2), cue(1 + 1 / 15, 0.10, 0.3))
    predicted = predictor.predict(10 + 1 / 15 + 1 / 30)
    assert predictor.active
    assert predicted is not None
    assert predicted.captured_s is None
    assert predicted.motion.state == "driving"
    assert predicted.motion.z.pose[1] == pytest.approx(0.10 + GAIN * 0.05, abs=1e-5)
    assert predicted.motion.z.expression[24] == pytest.approx(0.3 + GAIN * 0.05, abs=1e-5)


def test_it_ends_soon() -> None:
    predictor = predictor_after(cue(1.0), cue(1.2, 0.1))
    assert predictor.predict(10 + 1 / 15 + AHEAD_S - 0.001) is not None
    assert predictor.predict(10 + 1 / 15 + AHEAD_S + 0.001) is None


def test_expressions_stay_in_their_range() -> None:
    predicted = predictor_after(cue(1.0, jaw=0.2), cue(1 + 1 / 15, jaw=0.99)).predict(10 + 1 / 15 + 0.05)
    assert predicted is not None
    assert predicted.motion.z.expression[24] == 1


@pytest.mark.parametrize(
    "cues",
    [
        [],
        [cue(1.0)],
        [cue(1.0), cue(1 + 1 / 30, 0.1)],  # as fast as the output: nothing to fill
        [cue(1.0), cue(1.5, 0.1)],  # too long ago to tell a speed
        [cue(1.0), cue(1 + 1 / 15, 0.1, state="holding")],
        [cue(1.0), cue(None, 0.1)],
        [cue(1.0), cue(1 + 1 / 15, 0.1, avatar=fake_avatar("other"))],
    ],
)
def test_where_no_speed_is_known_nothing_is_predicted(cues: list[Cue]) -> None:
    predictor = predictor_after(*cues)
    assert not predictor.active
    assert predictor.predict(10.07) is None


def test_predictions_leave_the_measured_cue_as_it_is() -> None:
    last = cue(1 + 1 / 15, 0.1)
    before = last.motion.z.vector().copy()
    predictor_after(cue(1.0), last).predict(10 + 1 / 15 + 0.03)
    assert np.array_equal(last.motion.z.vector(), before)
