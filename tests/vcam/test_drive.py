"""From faces to motion, with scripted faces and times."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.values import EXPRESSION_NAMES, Coefficients
from vcam.drive import Drive, DriveOptions, Gains, Limits
from vcam.drive.idle import alive
from vcam.drive.neutral import Neutral
from vcam.drive.retarget import limit, retarget
from vcam.drive.smoothing import OneEuro
from vcam.motion import Observation

FPS = 30.0
JAW = EXPRESSION_NAMES.index("jawOpen")


def coefficients(*, pose: tuple[float, ...] = (0,) * 6, gaze: tuple[float, ...] = (0,) * 4, **expression: float) -> Coefficients:
    beta = np.zeros(64, np.float32)
    for name, value in expression.items():
        beta[EXPRESSION_NAMES.index(name)] = value
    return replace(Coefficients.neutral(), expression=beta, pose=np.array(pose, np.float32), gaze=np.array(gaze, np.float32))


SOURCE = coefficients(pose=(0.05, -0.3, 0.02, 0.1, 0, -5), gaze=(0.1, 0, 0.1, 0), mouthSmileLeft=0.3, eyeBlinkLeft=0.1)


def seen(driver: Coefficients | None, time_s: float) -> Observation:
    return Observation(driver, time_s)


def run(drive: Drive, now: Coefficients, start_s: float, seconds: float) -> Coefficients:
    for k in range(int(seconds * FPS)):
        shown = drive.step(seen(now, start_s + k / FPS))
    assert shown.state == "driving"
    return shown.z


def test_a_driver_at_rest_leaves_the_portrait_as_it_is() -> None:
    z = run(Drive(SOURCE), coefficients(pose=(0.1, 0.2, 0, 0, 0, -4)), 0, 2)
    np.testing.assert_allclose(z.vector(), SOURCE.vector(), atol=1e-4)


def test_the_portrait_makes_the_drivers_movements() -> None:
    drive = Drive(SOURCE)
    run(drive, coefficients(), 0, 2)
    z = run(drive, coefficients(pose=(0, 0.3, 0.1, 0, 0, 0), gaze=(0.2, 0, 0.2, 0), jawOpen=0.5), 2, 0.7)
    np.testing.assert_allclose(z.pose[:3] - SOURCE.pose[:3], [0, 0.3, 0.1], atol=0.03)
    assert z.expression[JAW] == pytest.approx(0.5, abs=0.06)
    np.testing.assert_allclose(z.gaze - SOURCE.gaze, [0.2, 0, 0.2, 0], atol=0.02)


def test_appearance_is_the_portraits_own() -> None:
    driver = replace(coefficients(), identity=np.ones(80, np.float32), illumination=np.full(27, 9, np.float32))
    z = run(Drive(SOURCE), driver, 0, 1)
    np.testing.assert_array_equal(z.identity, SOURCE.identity)
    np.testing.assert_array_equal(z.illumination, SOURCE.illumination)


def test_closed_eyes_close_the_portraits_eyes_however_weak_the_score() -> None:
    neutral = Neutral(coefficients(), 0)
    neutral.closed[:] = 0.5
    z = retarget(SOURCE, coefficients(eyeBlinkLeft=0.5), neutral, Gains(), Limits())
    assert z.expression[8] == pytest.approx(1)
    assert z.expression[9] == pytest.approx(SOURCE.expression[9])


def test_a_nod_stays_a_nod_on_a_head_that_looks_aside() -> None:
    z = retarget(SOURCE, coefficients(pose=(0.2, 0, 0, 0, 0, 0)), Neutral(coefficients(), 0), Gains(), Limits())
    np.testing.assert_allclose(z.pose[:3] - SOURCE.pose[:3], [0.2, 0, 0], atol=1e-6)


def test_large_movements_are_bounded_softly() -> None:
    values = np.linspace(-2, 2, 81).astype(np.float32)
    out = limit(values, 0.5)
    assert np.abs(out).max() <= 0.5
    assert (np.diff(out) >= 0).all()
    np.testing.assert_allclose(out[np.abs(values) < 0.3], values[np.abs(values) < 0.3], atol=1e-6)


def test_a_driver_that_turns_away_does_not_break_the_neck() -> None:
    far = coefficients(pose=(0, 1.4, 0, 5, 5, 9))
    z = retarget(SOURCE, far, Neutral(coefficients(), 0), Gains(), Limits())
    assert abs(z.pose[1] - SOURCE.pose[1]) <= Limits().yaw_rad


def test_a_meeting_that_begins_with_a_laugh_is_not_rest() -> None:
    drive = Drive(SOURCE)
    laughing = run(drive, coefficients(jawOpen=0.8), 0, 0.5)
    assert laughing.expression[JAW] > 0.5


def test_a_lost_face_is_held_then_rests_then_is_private() -> None:
    drive = Drive(SOURCE, DriveOptions(hold_s=0.5, privacy_s=10))
    run(drive, coefficients(), 0, 1)
    last = run(drive, coefficients(jawOpen=0.6), 1, 1)
    held = drive.step(seen(None, 2.1))
    assert held.state == "holding"
    np.testing.assert_array_equal(held.z.vector(), last.vector())
    rested = [drive.step(seen(None, 2.1 + k / FPS)) for k in range(90)][-1]
    assert rested.state == "idle"
    assert rested.z.expression[JAW] == pytest.approx(SOURCE.expression[JAW], abs=0.01)
    assert drive.step(seen(None, 12.2)).state == "privacy"
    assert drive.step(seen(coefficients(), 12.3)).state == "driving"


def test_nothing_jumps_when_the_face_comes_back() -> None:
    drive = Drive(SOURCE)
    run(drive, coefficients(), 0, 1)
    run(drive, coefficients(pose=(0, 0.4, 0, 0, 0, 0)), 1, 1)
    before = [drive.step(seen(None, 2 + k / FPS)) for k in range(120)][-1].z
    after = drive.step(seen(coefficients(), 6.0)).z
    assert np.abs(after.pose - before.pose).max() < 0.02


def test_after_a_rest_the_portrait_eases_into_life_and_is_private_only_later() -> None:
    drive = Drive(SOURCE, DriveOptions(hold_s=0.5, privacy_s=5))
    last = run(drive, coefficients(jawOpen=0.6), 0, 1)
    drive.resume(1000.0)
    first = drive.step(seen(None, 1000.0))
    assert first.state == "idle"
    np.testing.assert_allclose(first.z.vector(), last.vector(), atol=1e-3)
    assert drive.step(seen(None, 1004.0)).state == "idle"
    assert drive.step(seen(None, 1006.0)).state == "privacy"
    drive.resume(2000.0)
    assert drive.step(seen(None, 2000.1)).state == "idle"
    assert drive.step(seen(coefficients(), 2000.2)).state == "driving"


def test_before_any_face_the_portrait_breathes() -> None:
    drive = Drive(SOURCE)
    shown = [drive.step(seen(None, k / FPS)) for k in range(300)]
    assert {motion.state for motion in shown} == {"waiting"}
    assert np.ptp([motion.z.pose[0] for motion in shown]) > 0.005
    assert max(motion.z.expression[8] for motion in shown) > 0.9  # it blinks


def test_idle_life_is_the_same_for_the_same_moment() -> None:
    np.testing.assert_array_equal(alive(SOURCE, 12.34).vector(), alive(SOURCE, 12.34).vector())


def test_recalibrating_takes_the_present_for_rest() -> None:
    drive = Drive(SOURCE)
    run(drive, coefficients(), 0, 1)
    run(drive, coefficients(pose=(0, 0.3, 0, 0, 0, 0)), 1, 1)
    drive.recalibrate()
    z = run(drive, coefficients(pose=(0, 0.3, 0, 0, 0, 0)), 2, 1)
    np.testing.assert_allclose(z.pose, SOURCE.pose, atol=1e-3)


def test_another_portrait_keeps_what_is_known_of_the_driver() -> None:
    drive = Drive(SOURCE)
    run(drive, coefficients(), 0, 1)
    other = coefficients(pose=(0, 0, 0, 0, 0, -6))
    drive.use(other)
    z = run(drive, coefficients(), 1, 0.5)
    np.testing.assert_allclose(z.vector(), other.vector(), atol=1e-4)


def test_the_filter_steadies_rest_and_follows_motion() -> None:
    rng = np.random.default_rng(0)
    one = np.ones(1, np.float32)
    still = OneEuro(one * 1.5, one * 4)
    noise = rng.normal(0, 0.01, 300)
    out = [still(np.array([v], np.float32), k / FPS)[0] for k, v in enumerate(noise)]
    assert np.std(np.diff(out)) < 0.5 * np.std(np.diff(noise))
    quick = OneEuro(one * 1.5, one * 4)
    ramp = [quick(np.array([v], np.float32), k / FPS)[0] for k, v in enumerate(np.linspace(0, 1, 15))]
    assert ramp[-1] > 0.8


def wave(amplitude: float, hz: float, seconds: float) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * hz * np.arange(int(seconds * FPS)) / FPS)


def slope(asked: np.ndarray, got: np.ndarray) -> float:
    asked, got = asked - asked.mean(), got - got.mean()
    return float(asked @ got / (asked @ asked))


def test_quick_nods_shakes_and_syllables_arrive_whole() -> None:
    nod, shake, syllables = wave(0.16, 1.3, 3), wave(0.38, 0.8, 3), 0.25 + wave(0.25, 3.3, 3)
    drive = Drive(SOURCE)
    run(drive, coefficients(), 0, 2)
    shown = [
        drive.step(seen(coefficients(pose=(p, y, 0, 0, 0, 0), jawOpen=j), 2 + k / FPS)).z
        for k, (p, y, j) in enumerate(zip(nod, shake, syllables, strict=True))
    ]
    assert slope(nod, np.array([z.pose[0] for z in shown])) == pytest.approx(1, abs=0.08)
    assert slope(shake, np.array([z.pose[1] for z in shown])) == pytest.approx(1, abs=0.08)
    assert slope(syllables, np.array([z.expression[JAW] for z in shown])) == pytest.approx(1, abs=0.15)


def test_a_trembling_tracker_is_steadied() -> None:
    rng = np.random.default_rng(0)
    drive, noise = Drive(SOURCE), rng.normal(0, 0.003, (120, 3))  # rad
    shown = [drive.step(seen(coefficients(pose=(*n, 0, 0, 0)), k / FPS)).z.pose[:3] for k, n in enumerate(noise)]
    assert np.diff(shown, 2, axis=0)[30:].std() < 0.35 * np.diff(noise, 2, axis=0)[30:].std()


def test_a_smile_that_is_held_stays() -> None:
    drive = Drive(SOURCE)
    run(drive, coefficients(), 0, 10)
    begun = run(drive, coefficients(mouthSmileLeft=0.5), 10, 1).expression[43]
    held = run(drive, coefficients(mouthSmileLeft=0.5), 11, 30).expression[43]
    assert held > begun - 0.06


def test_what_is_always_seen_is_soon_taken_for_rest() -> None:
    drive = Drive(SOURCE)
    z = run(drive, coefficients(browDownLeft=0.25), 0, 20)
    assert z.expression[0] < 0.03


def test_a_smiling_portrait_smiles_more_when_its_driver_does() -> None:
    smiling = coefficients(mouthSmileLeft=0.6)
    drive = Drive(smiling)
    run(drive, coefficients(), 0, 2)
    assert 1.1 < run(drive, coefficients(mouthSmileLeft=0.8), 2, 1).expression[43] < 1.3


def test_options_change_while_a_driver_moves_and_what_is_known_of_them_stays() -> None:
    drive = Drive(SOURCE)
    run(drive, coefficients(), 0, 2)
    drive.configure(DriveOptions(gains=Gains(yaw=2.0)))
    z = run(drive, coefficients(pose=(0, 0.1, 0, 0, 0, 0)), 2, 1)
    assert z.pose[1] - SOURCE.pose[1] == pytest.approx(0.2, abs=0.03)


def test_departures_from_rest_need_no_neutral() -> None:
    drive = Drive(SOURCE)
    shown = [drive.step(Observation(coefficients(jawOpen=0.5), k / FPS, relative=True)) for k in range(30)][-1]
    assert shown.state == "driving"
    assert shown.z.expression[JAW] == pytest.approx(SOURCE.expression[JAW] + 0.5)
    np.testing.assert_allclose(shown.z.pose, SOURCE.pose)


def test_another_driver_fades_in_and_rests_elsewhere() -> None:
    drive = Drive(SOURCE)
    run(drive, coefficients(pose=(0, 0.3, 0, 0, 0, 0)), 0, 2)
    for k in range(90):
        before = drive.step(seen(None, 2 + k / FPS)).z
    other = coefficients(pose=(0.2, -0.3, 0, 0, 0, 0))
    first = drive.step(Observation(other, 5.0, driver_number=1)).z
    np.testing.assert_allclose(first.vector(), before.vector(), atol=0.02)  # no jump
    for k in range(60):
        z = drive.step(Observation(other, 5 + k / FPS, driver_number=1)).z
    np.testing.assert_allclose(z.vector(), SOURCE.vector(), atol=1e-3)  # this is the other one's rest
