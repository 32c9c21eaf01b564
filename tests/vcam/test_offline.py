"""Rendering and the demo drive: one frame out for each in, whatever the speed; the recording moves the portrait."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.errors import AssetError
from engine.values import COEFFICIENTS, Coefficients
from engine.video import Frame
from tests.fakes import MARKER, FakeAnimator, FakeBuilder, FakeClock, FakeTracker, Said, fake_face, flat
from vcam.config import Settings
from vcam.drive import Drive, Driven
from vcam.messages import StrictMessages
from vcam.offline import MediaClock, RenderReport, render
from vcam.session import Session
from vcam.sources.recording import Recording, RecordingSource, read_recording

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
    z = np.zeros((101, COEFFICIENTS), np.float32)
    z[:, 80 + 24] = 0.5 * np.sin(np.linspace(0, np.pi, 101))  # jawOpen
    z[:, 251 + 1] = 0.3 * np.sin(np.linspace(0, np.pi, 101))  # yaw
    return Recording(np.linspace(0, 4, 101, dtype=np.float32), z)


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
