"""Rendering and the demo drive: one frame out for each in, whatever the speed; the recording moves the portrait."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.errors import AssetError
from engine.values import COEFFICIENTS, Coefficients
from engine.video import Frame
from tests.fakes import MARKER, FakeAnimator, FakeDriver, FakeTracker, Said, fake_avatar, fake_face, flat
from vcam.demo import DemoDrive, Recording, read_recording
from vcam.messages import StrictMessages
from vcam.offline import MediaClock, Report, render
from vcam.performer import Performer
from vcam.portrayer import Portrayer
from vcam.stats import Stats


def render_with(tracker: FakeTracker, frames: int, animator: FakeAnimator | None = None) -> tuple[Report, list[float]]:
    clock, stats, sent = MediaClock(), Stats(), []
    messages = StrictMessages(Said(), clock)
    report, done = Report("a.jpg", "d.mp4", "o.mp4"), []
    render(
        (Frame(flat(MARKER), number / 25) for number in range(frames)),
        fake_avatar(),
        Performer(lambda: tracker, FakeDriver, clock=clock, messages=messages, stats=stats),
        Portrayer(animator or FakeAnimator(), (160, 128), clock=clock, messages=messages, stats=stats),
        lambda picture, time_s: sent.append(time_s),
        clock=clock, stats=stats, report=report, progress=done.append,
    )  # fmt: skip
    assert done == list(range(1, frames + 1))
    return report, sent


def test_every_driving_frame_gives_one_output_frame() -> None:
    faces = [fake_face()] * 10 + [None] * 20 + [fake_face()] * 5  # type: ignore[list-item]
    report, sent = render_with(FakeTracker(iter(faces)), 35)
    assert sent == pytest.approx([number / 25 for number in range(35)])
    assert (report.frames, report.faces, len(report.states)) == (35, 15, 35)
    assert report.state_counts["driving"] == 15
    assert set(report.stages) >= {"track", "drive", "animate", "compose", "send"}
    assert report.as_json()["avatar"] == "a.jpg"


def test_a_failure_ends_it() -> None:
    animator = FakeAnimator()
    animator.fail = RuntimeError("device lost")
    with pytest.raises(RuntimeError, match="device lost"):
        render_with(FakeTracker(), 3, animator)


@pytest.fixture
def recording() -> Recording:
    z = np.zeros((101, COEFFICIENTS), np.float32)
    z[:, 80 + 24] = 0.5 * np.sin(np.linspace(0, np.pi, 101))  # jawOpen
    z[:, 251 + 1] = 0.3 * np.sin(np.linspace(0, np.pi, 101))  # yaw
    return Recording(np.linspace(0, 4, 101, dtype=np.float32), z)


def test_the_demo_moves_the_portrait_and_nothing_else(recording: Recording) -> None:
    source = Coefficients.neutral()
    drive = DemoDrive(source, recording)
    motions = [drive.step(None, 50 + number / 30) for number in range(240)]
    jaw = np.array([motion.z.expression[24] for motion in motions])
    assert (jaw[0], jaw.max()) == (0, pytest.approx(0.5, abs=0.01))
    assert np.abs(np.diff(jaw)).max() < 0.05  # also where the loop closes
    assert all((motion.z.identity == source.identity).all() for motion in motions)
    assert {motion.state for motion in motions} == {"driving"}


def test_blend_shapes_stay_in_their_range(recording: Recording) -> None:
    source = Coefficients.neutral()
    source.expression[24] = 0.9
    drive = DemoDrive(Coefficients.neutral(), recording)
    drive.use(source)
    assert max(drive.step(None, number / 30).z.expression.max() for number in range(120)) <= 1


def test_recordings_are_checked(tmp_path: Path, recording: Recording) -> None:
    good, path = {"times_s": recording.times_s, "z": recording.z.astype(np.float16)}, tmp_path / "drive.npz"
    np.savez(path, **good)
    assert read_recording(path).z.shape == (101, COEFFICIENTS)
    for wrong in [{"z": recording.z[:50]}, {"times_s": recording.times_s[::-1]}, {"times_s": recording.times_s + 1}]:
        np.savez(path, **{**good, **wrong})
        with pytest.raises(AssetError, match="rising times"):
            read_recording(path)
    path.write_bytes(b"no archive")
    with pytest.raises(AssetError, match="missing or damaged"):
        read_recording(path)
