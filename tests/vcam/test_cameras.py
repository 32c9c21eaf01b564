"""Cameras that are absent, busy or unplugged come back; video files keep their own time; what is no video is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import DeviceError, InputError
from engine.mp4 import Mp4File
from engine.video import Frame, read_frames, video_info
from tests.fakes import MARKER, FakeClock, FakeDevice, Said, flat
from vcam import v4l2
from vcam.cameras import webcam
from vcam.cameras.video import VideoCamera
from vcam.cameras.webcam import Webcam, WebcamFormat
from vcam.messages import Messages
from vcam.sources import resolve
from vcam.stats import Stats


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """12 frames at 25/s, each brighter than the last."""
    path = tmp_path / "drive.mp4"
    sink = Mp4File(path, (64, 48), 25)
    for number in range(12):
        sink.send(flat((20 * number,) * 3))
    sink.close()
    return path


def make_webcam(
    devices: Iterator[FakeDevice | Exception], clock: FakeClock, said: Said, find: Callable[[], int | None] = lambda: 3
) -> Webcam:
    def open_with(number: int, wanted: WebcamFormat) -> FakeDevice:
        device = next(devices)
        if isinstance(device, Exception):
            raise device
        return device

    return Webcam(
        find, WebcamFormat(), clock=clock, messages=Messages(said, clock), stats=Stats(), retry_s=2.0, open_with=open_with
    )


def test_frames_are_rgb_and_carry_their_capture_time() -> None:
    clock = FakeClock()
    camera = make_webcam(iter([FakeDevice(iter([True]))]), clock, Said())
    camera.step()
    clock.pass_time(1)
    assert camera.step() == 0
    frame = camera.take(0)
    assert frame is not None
    assert tuple(frame.image[0, 0]) == MARKER
    assert frame.time_s == clock.now()
    assert camera.take(0) is None


def test_an_absent_camera_is_told_once_and_retried_until_it_is_there() -> None:
    clock, said = FakeClock(), Said()
    absent = DeviceError("There is no camera 3.")
    camera = make_webcam(iter([absent, absent, FakeDevice(iter([True]))]), clock, said)
    assert [camera.step(), camera.step(), camera.step(), camera.step()] == [2.0, 2.0, 0.0, 0.0]
    assert said == ["There is no camera 3.", "Camera 3 is there."]
    assert camera.take(0) is not None


def test_a_webcam_that_appears_later_is_taken() -> None:
    clock, said, found = FakeClock(), Said(), iter([None, None, 2, None, 4])
    first, second = FakeDevice(iter([True, False, False, False])), FakeDevice(iter([True]))
    camera = make_webcam(iter([first, second]), clock, said, find=lambda: next(found))
    assert [camera.step() for _ in range(4)] == [2.0, 2.0, 0.0, 0.0]
    assert camera.take(0) is not None
    assert [camera.step() for _ in range(6)] == [0.05, 0.05, 2.0, 2.0, 0.0, 0.0]
    assert said == [
        webcam.NO_WEBCAM,
        "Camera 2 is there.",
        "Camera 2 gives no pictures (unplugged, or in use elsewhere); trying again.",
        webcam.NO_WEBCAM,
        "Camera 4 is there.",
    ]


def test_an_unplugged_camera_is_released_and_recovers() -> None:
    clock, said = FakeClock(), Said()
    first, second = FakeDevice(iter([True, False, False, False])), FakeDevice(iter([True]))
    camera = make_webcam(iter([first, second]), clock, said)
    waits = [camera.step() for _ in range(7)]
    assert waits == [0, 0, 0.05, 0.05, 2.0, 0, 0]
    assert first.released
    assert "gives no pictures" in said[0]
    assert said[1] == "Camera 3 is back."


def test_a_camera_that_raises_counts_as_lost() -> None:
    clock, said = FakeClock(), Said()
    broken = FakeDevice(iter([RuntimeError("usb"), RuntimeError("usb"), RuntimeError("usb")]))
    camera = make_webcam(iter([broken, DeviceError("gone")]), clock, said)
    for _ in range(5):
        camera.step()
    assert broken.released
    assert "usb" not in said.text


class GivingDevice(FakeDevice):
    """Gives these pictures, whatever they are."""

    def __init__(self, pictures: list[Any]) -> None:
        super().__init__(iter(()))
        self._pictures = iter(pictures)

    def read(self) -> tuple[bool, Any]:
        picture = next(self._pictures, None)
        return picture is not None, picture


@pytest.mark.parametrize("strange", [np.zeros((4, 4, 2), np.uint8), np.full((4, 4, 3), np.nan), np.zeros((0, 4, 3), np.uint8)])
def test_a_picture_that_is_none_counts_as_missed_and_the_next_is_taken(strange: Any) -> None:
    clock, said = FakeClock(), Said()
    camera = make_webcam(iter([GivingDevice([strange, flat(MARKER)])]), clock, said)
    for _ in range(3):
        camera.step()
    frame = camera.take(0)
    assert frame is not None
    assert frame.image.shape == flat(MARKER).shape
    assert len(said) == 1


def test_a_grey_camera_is_taken() -> None:
    camera = make_webcam(iter([GivingDevice([np.full((4, 6), 90, np.uint8)])]), FakeClock(), Said())
    camera.step()
    camera.step()
    frame = camera.take(0)
    assert frame is not None
    assert frame.image.tolist() == np.full((4, 6, 3), 90).tolist()


def test_opening_tells_absent_from_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webcam.platform, "system", lambda: "Linux")
    with pytest.raises(DeviceError, match="no camera 97"):
        webcam.open_device(97, WebcamFormat())
    monkeypatch.setattr(webcam.Path, "exists", lambda _path: True)
    monkeypatch.setattr(webcam.os, "access", lambda _path, _mode: False)
    with pytest.raises(DeviceError, match=r"No permission for camera 97.*usermod"):
        webcam.open_device(97, WebcamFormat())


def test_auto_never_takes_our_own_virtual_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [
        v4l2.Device(Path("/dev/video0"), "HifiHead Cam", "ok", v4l2.LOOPBACK_DRIVER, capture=True),
        v4l2.Device(Path("/dev/video1"), "Metadata", "ok", "uvcvideo"),
        v4l2.Device(Path("/dev/video2"), "USB Camera", "ok", "uvcvideo", capture=True),
    ]
    monkeypatch.setattr(webcam.platform, "system", lambda: "Linux")
    monkeypatch.setattr(webcam.v4l2, "devices", lambda: listed)
    assert webcam.usable_cameras("HifiHead Cam") == [2]


def test_a_number_is_a_webcam_and_a_path_a_video(video: Path) -> None:
    assert resolve("1") == ("webcam", "1")
    assert resolve(str(video)) == ("video", str(video))
    assert [resolve(name) for name in ("recording", "idle")] == [("recording", ""), ("idle", "")]
    with pytest.raises(InputError, match=r"no camera or video 'nothing\.mp4'"):
        resolve("nothing.mp4")


def test_every_frame_of_a_file_comes_once_with_its_time(video: Path) -> None:
    frames = list(read_frames(video))
    assert len(frames) == 12
    assert [frame.time_s for frame in frames] == pytest.approx([number / 25 for number in range(12)], abs=2e-3)
    assert np.abs(frames[6].image.astype(int) - 120).max() < 12
    info = video_info(video)
    assert (info.width_px, info.height_px, info.fps, info.frames) == (64, 48, Fraction(25), 12)


def test_a_video_plays_at_its_own_pace_and_the_loop_keeps_the_time_rising(video: Path) -> None:
    clock = FakeClock()
    camera = VideoCamera(video, clock=clock, messages=Messages(Said(), clock), stats=Stats())
    start_s, got = clock.now(), []

    def deliver(frame: Frame) -> None:
        got.append((clock.now() - start_s, frame.time_s - start_s))

    camera.play_once(deliver)
    camera.play_once(deliver)
    assert len(got) == 24
    arrived, stamped = np.transpose(got)
    assert arrived == pytest.approx(stamped)
    assert np.diff(stamped) == pytest.approx(np.full(23, 0.04), abs=2e-3)


def test_what_is_no_video_is_refused_in_a_sentence(tmp_path: Path, video: Path) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("no video at all")
    (tmp_path / "cut.mp4").write_bytes(video.read_bytes()[:200])
    for name, words in {"nothing.mp4": "does not exist", "empty.mp4": "empty", "text.mp4": "video", "cut.mp4": "video"}.items():
        with pytest.raises(InputError, match=words) as refused:
            video_info(tmp_path / name)
        assert name in str(refused.value)


def test_a_file_with_sound_only_is_refused(tmp_path: Path) -> None:
    import wave

    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(1600))
    with pytest.raises(InputError, match="no picture track"):
        video_info(tmp_path / "sound.wav")
