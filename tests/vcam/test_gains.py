"""Strengths, limits, the mirror, the gaze into the camera and idle life, each on its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.conventions import rotation
from engine.errors import ConfigError
from engine.values import BLINKS, EXPRESSION_NAMES, Coefficients, Floats
from vcam.build import drive_options
from vcam.config import DriveSettings
from vcam.config_file import parse_settings
from vcam.drive import Drive, DriveOptions, Gains, IdleLife, Limits
from vcam.drive.gains import BROWS, EYES, MOUTH
from vcam.drive.idle import alive
from vcam.drive.look import looking_at_camera, toward_camera
from vcam.drive.neutral import Neutral
from vcam.drive.retarget import retarget
from vcam.motion import Observation

REST = Coefficients.neutral()


def moved() -> Coefficients:
    """A driver in whom everything moves, left and right differently."""
    rng = np.random.default_rng(1)
    z = Coefficients.neutral()
    z.expression[:] = rng.uniform(0.1, 0.5, 64)
    z.pose[:] = [0.1, 0.12, -0.08, 0.1, 0.05, 0.2]
    z.gaze[:] = [0.2, 0.1, 0.15, 0.05]
    return z


def change(gains: Gains | None = None, limits: Limits | None = None, *, mirror: bool = False) -> tuple[Floats, Floats, Floats]:
    """What the portrait makes of it: expression, pose, gaze."""
    z = retarget(REST, moved(), Neutral(REST, 0), gains or Gains(), limits or Limits(), mirror=mirror)
    return z.expression, z.pose, z.gaze


@pytest.mark.parametrize(
    ("gain", "moving"),
    [
        ("pitch", "p0"),
        ("yaw", "p1"),
        ("roll", "p2"),
        ("translation", "p345"),
        ("brows", BROWS),
        ("eyes", EYES),
        ("mouth", MOUTH),
        ("gaze", "g"),
    ],
)
def test_each_gain_is_of_its_own_channels(gain: str, moving: str | list[int]) -> None:
    expression, pose, gaze = change()
    without_expression, without_pose, without_gaze = change(replace(Gains(), **{gain: 0.0}))
    expected_pose = pose.copy()
    expected_expression, expected_gaze = expression.copy(), gaze.copy()
    if isinstance(moving, list):
        expected_expression[moving] = 0
    elif moving == "g":
        expected_gaze[:] = 0
    else:
        expected_pose[[int(number) for number in moving[1:]]] = 0
    np.testing.assert_allclose(without_expression, expected_expression, atol=1e-6)
    np.testing.assert_allclose(without_pose, expected_pose, atol=1e-6)
    np.testing.assert_allclose(without_gaze, expected_gaze, atol=1e-6)


def test_every_expression_is_in_one_group() -> None:
    assert sorted([*BROWS, *EYES, *MOUTH]) == list(range(64))


def test_limits_are_never_passed() -> None:
    limits = Limits(pitch_rad=0.05, yaw_rad=0.06, roll_rad=0.04, brows=0.1, eyes=0.2, mouth=0.3, gaze=0.1)
    expression, pose, gaze = change(Gains(3, 3, 3, 1, 3, 3, 3, 3), limits)
    assert (np.abs(pose[:3]) <= np.array([0.05, 0.06, 0.04]) + 1e-6).all()
    assert expression[BROWS].max() == pytest.approx(0.1)
    assert expression[EYES].max() == pytest.approx(0.2)
    assert expression[MOUTH].max() == pytest.approx(0.3)
    assert np.abs(gaze).max() <= 0.1 + 1e-6


def test_a_mirror_swaps_left_and_right_and_twice_is_once() -> None:
    expression, pose, gaze = change()
    other, turned, looked = change(mirror=True)
    index = EXPRESSION_NAMES.index
    for left, right in (("mouthSmileLeft", "mouthSmileRight"), ("jawLeft", "jawRight"), ("eyeBlinkLeft", "eyeBlinkRight")):
        assert (other[index(left)], other[index(right)]) == (expression[index(right)], expression[index(left)])
    assert other[index("jawOpen")] == expression[index("jawOpen")]
    np.testing.assert_allclose(turned, pose * [1, -1, -1, -1, 1, 1], atol=1e-6)
    np.testing.assert_allclose(looked, [-gaze[2], gaze[3], -gaze[0], gaze[1]], atol=1e-6)


def test_eyes_look_into_the_camera_from_wherever_the_head_is() -> None:
    pose = np.array([0.1, -0.2, 0.05, 0.3, -0.2, 0.4], np.float32)
    x, y, *_ = toward_camera(pose)
    way = rotation(pose[:3]) @ np.array([x, y, np.sqrt(1 - x * x - y * y)])
    at_camera = pose[3:] + way * (10 - pose[5]) / way[2]
    np.testing.assert_allclose(at_camera, [0, 0, 10], atol=1e-3)
    aside = replace(REST, pose=pose, gaze=np.array([0.3, 0.3, 0.3, 0.3], np.float32))
    np.testing.assert_allclose(looking_at_camera(aside, 1.0).gaze, toward_camera(pose), atol=1e-6)
    np.testing.assert_allclose(looking_at_camera(aside, 0.5).gaze, (aside.gaze + toward_camera(pose)) / 2, atol=1e-6)
    assert looking_at_camera(aside, 0.0) is aside
    far = replace(aside, pose=np.array([0, 0.8, 0, 0, 0, 0], np.float32))
    np.testing.assert_array_equal(looking_at_camera(far, 1.0).gaze, aside.gaze)


def test_the_drive_looks_at_the_camera_with_and_without_a_driver() -> None:
    drive = Drive(REST, DriveOptions(look_at_camera=1.0))
    for number in range(60):
        z = drive.step(Observation(moved(), number / 30)).z
        np.testing.assert_allclose(z.gaze, toward_camera(z.pose), atol=0.05)
    waiting = (
        Drive(replace(REST, gaze=np.full(4, 0.3, np.float32)), DriveOptions(look_at_camera=1.0)).step(Observation(None, 1.0)).z
    )
    np.testing.assert_allclose(waiting.gaze, toward_camera(waiting.pose), atol=1e-5)


def test_idle_life_can_be_switched_off_in_parts() -> None:
    moments = np.linspace(0, 20, 400)
    still = [alive(REST, time_s, IdleLife(0, 0, False)) for time_s in moments]
    assert all((z.vector() == REST.vector()).all() for z in still)
    breathing = [alive(REST, time_s, IdleLife(1, 0, False)) for time_s in moments]
    assert np.ptp([z.pose[0] for z in breathing]) > 0.01
    assert np.ptp([z.pose[1] for z in breathing]) == 0
    assert max(z.expression[BLINKS].max() for z in breathing) == 0
    assert max(alive(REST, time_s, IdleLife(0, 0)).expression[BLINKS].max() for time_s in moments) > 0.9


def test_the_settings_reach_the_drive() -> None:
    settings = DriveSettings(
        yaw_gain=-1.0, yaw_limit_deg=10.0, mirror=True, look_at_camera=0.5, idle_blink=False, mouth_limit=0.5
    )
    options = drive_options(settings)
    assert (options.gains.yaw, options.mirror, options.look_at_camera) == (-1.0, True, 0.5)
    assert options.limits.yaw_rad == pytest.approx(np.radians(10))
    assert (options.limits.mouth, options.idle.blink) == (0.5, False)
    tuned = drive_options(DriveSettings())
    assert replace(tuned, limits=Limits()) == DriveOptions(privacy_s=30.0)
    assert tuned.limits.gaze == pytest.approx(Limits().gaze)


def test_settings_that_were_replaced_are_named() -> None:
    with pytest.raises(ConfigError, match="in its place there are pitch_gain, yaw_gain, roll_gain and shift_gain"):
        parse_settings("[drive]\nhead_gain = 1.0", "config.toml")
