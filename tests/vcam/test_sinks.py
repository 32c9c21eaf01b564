"""Virtual camera, MP4 file and re-opening: what is absent, busy or forbidden is told with its cure; files are whole or absent."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import DeviceError, InputError
from engine.mp4 import Mp4File
from engine.video import read_frames, video_info
from tests.fakes import FakeClock, FakeSink, Said, flat, gone
from vcam import sinks, v4l2
from vcam.messages import Messages
from vcam.sinks import driver, virtual
from vcam.sinks.driver import Host, create_command, this_host
from vcam.sinks.reopening import ReopeningSink
from vcam.sinks.virtual import VirtualCamera

NAME = "HifiHead Cam"
LOOPBACK = v4l2.LOOPBACK_DRIVER
PATH = Path("/dev/video9")


class OpenedCamera:
    """Stands in for ``pyvirtualcam.Camera``."""

    def __init__(self, *size: int, device: str | None, **_options: Any) -> None:
        self.size, self.device, self.sent, self.closed = size, device or "OBS Virtual Camera", 0, False

    def send(self, picture: np.ndarray) -> None:
        if self.sent == 2:
            raise RuntimeError("device closed")
        self.sent += 1

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda system: monkeypatch.setattr(virtual.platform, "system", lambda: system)


def opened(
    device: v4l2.Device | None,
    *,
    rearms: bool = True,
    sends: bool = True,
    kept: str = "",
    others: tuple[v4l2.Device, ...] = (),
    ours: bool = False,
) -> VirtualCamera:
    devices = [*others, *([device] if device else [])]
    return VirtualCamera(
        (64, 48),
        30,
        NAME,
        find=lambda: devices,
        rearm=lambda _path: rearms,
        sends=lambda _path: sends,
        users=lambda _path: (("hifihead (7)",), True) if ours else ((), False),
        kept_format=lambda _path, _size: kept,
        open_with=OpenedCamera,
    )


def test_the_camera_is_found_by_its_name(on: Callable[[str], None]) -> None:
    on("Linux")
    other = v4l2.Device(Path("/dev/video0"), "Dummy video device", "ok", LOOPBACK, output=True)
    camera = opened(v4l2.Device(PATH, NAME, "ok", LOOPBACK, output=True), others=(other,))
    assert camera.device == str(PATH)
    camera.send(flat((0, 0, 0)))
    camera.send(flat((0, 0, 0)))
    with pytest.raises(DeviceError, match="takes no more pictures"):
        camera.send(flat((0, 0, 0)))
    camera.close()


def test_a_stuck_camera_is_cured(on: Callable[[str], None]) -> None:
    on("Linux")
    stuck = v4l2.Device(PATH, NAME, "ok", LOOPBACK)
    assert stuck.stuck
    assert opened(stuck).device == str(PATH)
    with pytest.raises(DeviceError, match="in use"):
        opened(stuck, rearms=False)


def test_a_meeting_that_goes_on_reading_does_not_bar_the_second_start(on: Callable[[str], None]) -> None:
    on("Linux")
    read = v4l2.Device(PATH, NAME, "ok", LOOPBACK, capture=True)
    assert opened(read, sends=False).device == str(PATH)
    with pytest.raises(DeviceError, match="in use"):
        opened(read, sends=False, rearms=False)
    with pytest.raises(DeviceError, match="insists on 640x480 YU12, wanted 64x48"):
        opened(read, sends=False, kept="640x480 YU12")


def test_a_second_start_says_that_the_first_is_running(on: Callable[[str], None]) -> None:
    on("Linux")
    with pytest.raises(DeviceError, match="in use by HifiHead Cam, which runs already"):
        opened(v4l2.Device(PATH, NAME, "ok", LOOPBACK, capture=True), ours=True)


def test_sending_is_told_by_new_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path / "video9"
    device.write_bytes(b"picture")  # a file has something to read once
    assert not v4l2.sends(device, seconds=0.01)
    monkeypatch.setattr(v4l2, "picture_waits", lambda _descriptor: True)
    assert v4l2.sends(device)
    assert v4l2.sends(tmp_path / "forbidden")


def test_every_obstacle_is_told_with_its_cure(on: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    on("Linux")
    monkeypatch.setattr(driver, "module_installed", lambda: True)
    cases = {
        "in use by another program": v4l2.Device(PATH, NAME, "ok", LOOPBACK, capture=True),
        "usermod -aG video": v4l2.Device(PATH, NAME, "no permission"),
        "no v4l2loopback device": v4l2.Device(PATH, NAME, "ok", "uvcvideo", capture=True),
        """modprobe v4l2loopback exclusive_caps=1 card_label='"HifiHead Cam"'""": None,
    }
    for words, device in cases.items():
        with pytest.raises(DeviceError) as refused:
            opened(device)
        assert words in str(refused.value)
    with pytest.raises(DeviceError, match="Dummy"):
        opened(None, others=(v4l2.Device(PATH, "Dummy", "ok", LOOPBACK, output=True),))


@pytest.mark.parametrize(
    ("system", "words"), [("Windows", "UnityCaptureName=HifiHead Cam"), ("Darwin", "OBS Studio"), ("Linux", "v4l2loopback")]
)
def test_the_command_that_creates_one_is_the_systems_own(system: str, words: str) -> None:
    assert words in create_command(NAME, Host(system, "apt", module_installed=True))


def test_without_the_module_it_is_installed_first(on: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    on("Linux")
    monkeypatch.setattr(driver, "module_installed", lambda: False)
    monkeypatch.setattr(driver.shutil, "which", lambda tool: tool == "dnf")
    assert create_command(NAME, this_host()).startswith("sudo dnf install akmod-v4l2loopback && sudo modprobe v4l2loopback ")


def test_other_systems_join_every_reason(on: Callable[[str], None]) -> None:
    on("Windows")

    def refuse(*_size: int, backend: str | None, **_options: Any) -> None:
        if backend == "unitycapture":
            raise KeyError(backend)
        raise RuntimeError("OBS is not installed")

    with pytest.raises(DeviceError, match=r"unitycapture.*OBS is not installed.*Unity Capture"):
        VirtualCamera((64, 48), 30, NAME, open_with=refuse)


def test_devices_are_listed_by_number_with_what_they_offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in {10: "Camera\n", 2: "HifiHead Cam\n"}.items():
        (tmp_path / f"video{number}").mkdir()
        (tmp_path / f"video{number}" / "name").write_text(name)
    (tmp_path / "v4l-subdev0").mkdir()
    answers = {"video2": (LOOPBACK, v4l2.OUTPUT), "video10": ("uvcvideo", v4l2.CAPTURE)}
    monkeypatch.setattr(v4l2.sys, "platform", "linux")
    monkeypatch.setattr(v4l2, "query", lambda path: answers[path.name])
    found = v4l2.devices(tmp_path)
    assert [(device.number, device.name, device.capture, device.output) for device in found] == [
        (2, "HifiHead Cam", False, True),
        (10, "Camera", True, False),
    ]


@pytest.mark.parametrize(("number", "access"), [(errno.EACCES, "no permission"), (errno.ENOENT, "absent"), (errno.EBUSY, "busy")])
def test_devices_that_cannot_be_asked_say_why(monkeypatch: pytest.MonkeyPatch, number: int, access: str) -> None:
    def refuse(_path: Path) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(v4l2, "query", refuse)
    assert v4l2.inspect(PATH, NAME).access == access


def test_rearming_asks_for_streaming_and_looks_again(tmp_path: Path) -> None:
    device = LoopbackIoctl(tmp_path, offers=0)
    assert v4l2.rearm(device.path, device)
    assert (v4l2.STREAMON, struct.pack("i", 2)) in device.asked
    assert {len(argument) for request, argument in device.asked if request == v4l2.QUERYCAP} == {104}


def test_a_camera_that_offers_its_output_is_not_asked_for_streaming(tmp_path: Path) -> None:
    device = LoopbackIoctl(tmp_path, offers=v4l2.OUTPUT)  # as v4l2loopback 0.14 does, which refuses STREAMON without buffers
    assert v4l2.rearm(device.path, device)
    assert v4l2.STREAMON not in {request for request, _ in device.asked}


class LoopbackIoctl:
    """A device that refuses STREAMON, and offers its output side after that; ``asked`` are requests with arguments."""

    def __init__(self, folder: Path, offers: int) -> None:
        self.path, self.asked, self._offers = folder / "video0", list[tuple[int, bytes]](), offers
        self.path.touch()

    def __call__(self, _descriptor: int, request: int, argument: bytes) -> bytes:
        self.asked.append((request, argument))
        if request == v4l2.STREAMON:
            self._offers = v4l2.OUTPUT
            raise OSError(errno.EINVAL, "refused, and cured all the same")
        return v4l2.CAPABILITY.pack(LOOPBACK.encode(), NAME.encode(), b"", 0, 0, self._offers)


def test_a_lost_camera_is_opened_again_while_all_goes_on() -> None:
    clock, said = FakeClock(), Said()
    first, second = FakeSink(faults=iter([None, gone()])), FakeSink(name="second")
    attempts = iter([gone(), second])

    def reopen() -> FakeSink:
        result = next(attempts)
        if isinstance(result, Exception):
            raise result
        return result

    sink = ReopeningSink(reopen, first, clock=clock, messages=Messages(said, clock), retry_s=5.0)
    for _ in range(40):
        sink.send(flat((1, 2, 3)))
        clock.pass_time(0.5)
    assert first.closed
    assert len(first.sent) == 1
    assert len(second.sent) > 10
    assert said == ["The virtual camera takes no more pictures. Trying again.", "Sending to the virtual camera second."]
    sink.close()
    assert second.closed


def test_the_automatic_outputs_are_those_that_there_are() -> None:
    loopback = v4l2.Device(PATH, NAME, "ok", LOOPBACK, output=True)
    webcam = v4l2.Device(Path("/dev/video0"), NAME, "ok", "uvcvideo", capture=True)
    cases = [
        ([], None, ["virtual", "preview"]),
        ([loopback], None, ["virtual", "preview"]),
        ([webcam], Path("/run/user/1000/pipewire-0"), ["virtual", "pipewire", "preview"]),
        ([loopback], Path("/run/user/1000/pipewire-0"), ["virtual", "preview"]),
    ]
    for devices, session, opened_sinks in cases:
        assert sinks.automatic(NAME, lambda devices=devices: devices, lambda session=session: session) == opened_sinks


def test_several_outputs_are_opened_in_their_order() -> None:
    wanted = [("virtual", "", True), ("pipewire", "", True), ("file", "a,b:c.mp4", True)]
    assert sinks.resolve("virtual,pipewire,file:a,b:c.mp4", NAME) == wanted


def test_a_file_has_every_picture_and_its_time(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    sink = Mp4File(path, (128, 96), Fraction(30000, 1001))
    times = [0.0, 0.05, 0.05, 0.2, 0.25]
    for number, time_s in enumerate(times):
        sink.send(flat((50 * number, 90, 160), 128, 96), time_s)
    assert not path.exists()
    sink.close()
    sink.close()
    frames = list(read_frames(path))
    assert [frame.time_s for frame in frames] == pytest.approx(times, abs=2e-3)
    assert np.abs(frames[3].image.astype(int) - (150, 90, 160)).max() <= 4
    assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"]
    assert video_info(path).width_px == 128


def test_an_abandoned_file_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"old")
    sink = Mp4File(path, (64, 48), 30)
    sink.send(flat((0, 0, 0)))
    sink.discard()
    empty = Mp4File(path, (64, 48), 30)
    empty.close()
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_files_that_cannot_be_written_are_refused_at_once(tmp_path: Path) -> None:
    for path, words in {tmp_path / "a.avi": "must end in .mp4", tmp_path / "no" / "a.mp4": "folder"}.items():
        with pytest.raises(InputError, match=words):
            Mp4File(path, (64, 48), 30)
