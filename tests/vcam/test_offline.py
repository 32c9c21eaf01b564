"""Rendering and the demo drive: one frame out for each in, whatever the speed; the recording moves the portrait."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.recording import MOTION, Recording
from engine.values import Coefficients
from engine.video import Frame
from tests.fakes import MARKER, FakeAnimator, FakeBuilder, FakeClock, FakeTracker, Said, fake_face, flat
from vcam.config import Settings
from vcam.drive import Drive, Driven
from vcam.messages import StrictMessages
from vcam.offline import MediaClock, RenderReport, render
from vcam.session import Session
from vcam.sources.recording import RecordingSource, read_demo

PHOTO = Path(__file__).parents[2] / "engine" / "assets" / "portrait.jpg"  # its content does not matter, its name does


class BrokenAnimator(FakeAnimator):
    """Of a device that is lost."""

    def animate(self, *_arguments: object, **_options: object) -> np.ndarray:
        raise RuntimeError("device lost")


def render_with(tracker: FakeTracker, frames: int, animator: FakeAnimator | None = None) -> tuple[RenderReport, list[float]]:
    clock, sent, done = MediaClock(), list[float](), list[int]()
    settings = Settings.model_validate({"output": {"width_px": 160, "height_px": 128}})
    builder = FakeBuilder(settings, clock=clock, messages=StrictMessages(Said(), clock), reproducible=True)
    builder.tracker, builder.animator = (lambda: tracker), animator
    report = RenderReport("portrait.jpg", "d.mp4", "o.mp4")
    with Session(builder, PHOTO) as session:
        render(
            session,
            (Frame(flat(MARKER), number / 25) for number in range(frames)),
            lambda picture, time_s: sent.append(time_s),
            report=report,
            progress=done.append,
        )
    assert done == list(range(1, frames + 1))
    assert all(resource.closed for resource in builder.opened)
    return report, sent


def test_every_driving_frame_gives_one_output_frame() -> None:
    faces = [fake_face()] * 10 + [None] * 20 + [fake_face()] * 5  # type: ignore[list-item]
    report, sent = render_with(FakeTracker(iter(faces)), 35)
    assert sent == pytest.approx([number / 25 for number in range(35)])
    assert (report.frames, report.faces, len(report.states)) == (35, 15, 35)
    assert report.state_counts["driving"] == 15
    assert set(report.stages) >= {"track", "drive", "animate", "compose", "send"}
    assert report.as_json()["avatar"] == "portrait.jpg"


def test_a_failure_ends_it() -> None:
    with pytest.raises(RuntimeError, match="device lost"):
        render_with(FakeTracker(), 3, BrokenAnimator())


@pytest.fixture
def recording() -> Recording:
    wave, flags = np.sin(np.linspace(0, np.pi, 101)), np.ones(101, bool)
    motion = np.zeros((101, MOTION), np.float32)
    motion[:, 24], motion[:, 64 + 1] = 0.5 * wave, 0.3 * wave  # jawOpen, yaw
    return Recording(np.linspace(0, 4, 101), motion, flags, flags, np.zeros(101, np.int64))


def played(recording: Recording, portrait: Coefficients, start_s: float, frames: int) -> list[Driven]:
    source, drive = RecordingSource("recording", recording, FakeClock()), Drive(portrait)
    return [drive.step(source.at(start_s + number / 30)) for number in range(frames)]


def test_a_recording_moves_the_portrait_and_nothing_else(recording: Recording) -> None:
    source = Coefficients.neutral()
    motions = played(recording, source, 50, 240)
    jaw = np.array([motion.z.expression[24] for motion in motions])
    assert (jaw[0], jaw.max()) == (0, pytest.approx(0.5, abs=0.01))
    assert np.abs(np.diff(jaw)).max() < 0.05  # also where the loop closes
    assert all((motion.z.identity == source.identity).all() for motion in motions)
    assert {motion.state for motion in motions} == {"driving"}


def test_blend_shapes_stay_in_their_range(recording: Recording) -> None:
    source = Coefficients.neutral()
    source.expression[24] = 0.9
    assert max(motion.z.expression.max() for motion in played(recording, source, 0, 120)) <= 1


def test_where_nobody_was_seen_nobody_is_seen(recording: Recording) -> None:
    gap = replace(recording, face=np.arange(101) // 10 % 2 == 0)
    source = RecordingSource("gap", gap, FakeClock())
    source.at(0)
    seen = [source.at(number / 25 + 0.01).driver is not None for number in range(100)]
    assert seen == [number // 10 % 2 == 0 for number in range(100)]


def test_the_bundled_recording_moves_the_head_and_the_mouth() -> None:
    motion = read_demo().motion
    assert np.ptp(motion[:, 65]) > 0.1
    assert np.ptp(motion[:, 24]) > 0.1
