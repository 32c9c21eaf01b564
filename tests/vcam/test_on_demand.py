"""On demand: without a watcher everything rests and the webcam is released; with one the avatar is back at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from threading import Event

import httpx
import pytest

from engine.mp4 import Mp4File
from tests.fakes import FakeClock, FakeDevice, FakeSink, Said, flat
from tests.vcam.test_preview import FakeControl
from tests.vcam.test_session import wait_for
from vcam.cameras.video import VideoCamera
from vcam.cameras.webcam import REST_STEP_S, Webcam, WebcamFormat
from vcam.messages import Messages
from vcam.pipeline.latest import STALL_S, LatestFrame, OutputFrame
from vcam.pipeline.pacing import REST_PERIOD_S, SinkLoop
from vcam.pipeline.presence import AWAY_S, LOOK_EVERY_S, ViewerPresence
from vcam.processes import others_have_open
from vcam.sinks.preview import PreviewPage
from vcam.sinks.readers import Readers, open_watch
from vcam.stats import Stats

SIZE = (160, 128)


class Watching:
    """An ``ViewerPresence`` whose viewer comes and goes; ``happened`` collects what it did."""

    def __init__(self) -> None:
        self.clock, self.watcher, self.happened = FakeClock(), True, list[str]()
        self.presence = ViewerPresence(
            lambda: self.watcher,
            rest=lambda: self.happened.append("rest"),
            wake=lambda: self.happened.append("wake"),
            clock=self.clock,
        )

    def run(self, seconds: float) -> list[str]:
        end_s = self.clock.now() + seconds
        while self.clock.now() < end_s:
            self.presence.look()
            self.clock.pass_time(0.01)
        return self.happened


def test_nobody_for_a_while_means_rest_and_somebody_means_awake_at_once() -> None:
    watching = Watching()
    assert watching.run(60) == []
    watching.watcher = False
    assert watching.run(AWAY_S - 0.2) == []
    assert watching.run(0.3) == ["rest"]
    assert watching.run(60) == ["rest"]
    watching.watcher = True
    assert watching.run(2.2 * LOOK_EVERY_S) == ["rest", "wake"]
    assert watching.run(60) == ["rest", "wake"]


def test_who_leaves_and_comes_back_is_not_noticed() -> None:
    watching = Watching()
    for _ in range(10):
        watching.watcher = not watching.watcher
        assert watching.run(AWAY_S - 0.5) == []


def test_a_program_that_only_lists_the_cameras_wakes_nobody() -> None:
    watching = Watching()
    watching.watcher = False
    watching.run(AWAY_S + 1)
    for _ in range(20):
        watching.watcher = True
        watching.run(0.5 * LOOK_EVERY_S)
        watching.watcher = False
        watching.run(2 * LOOK_EVERY_S)
    assert watching.happened == ["rest"]


def test_a_resting_camera_sends_its_last_picture_seldom_and_no_card() -> None:
    clock, sink, latest, stop = FakeClock(), FakeSink(), LatestFrame(SIZE), Event()
    loop = SinkLoop(latest, [sink], 30, clock=clock, stats=Stats())
    latest.show(OutputFrame(flat((9, 9, 9)), "driving", drawn_s=clock.now()))
    latest.rest("resting")
    loop.resting = True
    clock.at(10 * STALL_S, stop.set)
    loop.run(stop, frames=None, check=lambda: None)
    assert len(sink.sent) == pytest.approx(10 * STALL_S / REST_PERIOD_S, rel=0.15)
    assert {picture[0, 0, 0] for picture in sink.sent} == {9}
    assert loop.newest is not None
    assert loop.newest.state == "resting"
    latest.wake(clock.now())
    assert latest.current(clock.now() + STALL_S - 0.1).state == "driving"
    assert latest.current(clock.now() + STALL_S + 0.1).state == "stalled"


def test_a_waking_loop_sends_at_the_full_rate_at_once() -> None:
    clock, latest, times = FakeClock(), LatestFrame(SIZE), list[float]()

    class TimedSink(FakeSink):
        def send(self, picture: object) -> None:
            times.append(clock.now())

    loop = SinkLoop(latest, [TimedSink()], 30, clock=clock, stats=Stats())
    loop.resting = True
    clock.at(5.12, lambda: setattr(loop, "resting", False))
    stop = Event()
    clock.at(7.0, stop.set)
    begin_s = clock.now()
    loop.run(stop, frames=None, check=lambda: None)
    after = [time_s - begin_s for time_s in times if time_s - begin_s > 5.12]
    assert after[0] < 5.12 + 2 * LOOK_EVERY_S
    assert len(after) == pytest.approx((7 - after[0]) * 30, abs=2)


def make_webcam(devices: Iterator[FakeDevice], clock: FakeClock, said: Said) -> Webcam:
    def open_with(_number: int, _wanted: WebcamFormat) -> FakeDevice:
        return next(devices)

    messages = Messages(said, clock)
    return Webcam(lambda: 3, WebcamFormat(), clock=clock, messages=messages, stats=Stats(), retry_s=2.0, open_with=open_with)


def test_a_resting_webcam_is_released_and_forgets_its_last_frame() -> None:
    said, devices = Said(), [FakeDevice(repeat(True)), FakeDevice(repeat(True))]
    webcam = make_webcam(iter(devices), FakeClock(), said)
    webcam.step()
    webcam.step()
    webcam.rest()
    assert webcam.step() == REST_STEP_S
    assert devices[0].released
    assert webcam.take(0) is None
    webcam.wake()
    webcam.step()
    webcam.step()
    assert webcam.take(0) is not None
    assert not devices[1].released
    assert said == []


def test_the_webcams_thread_wakes_at_once() -> None:
    devices = [FakeDevice(repeat(True)), FakeDevice(repeat(True))]
    webcam = make_webcam(iter(devices), FakeClock(), Said())
    webcam.start()
    try:
        assert webcam.take(5) is not None
        webcam.rest()
        assert wait_for(lambda: devices[0].released)
        webcam.wake()
        assert webcam.take(5) is not None
    finally:
        webcam.close()


def test_a_resting_video_goes_on_where_it_was(tmp_path: Path) -> None:
    path, clock = tmp_path / "drive.mp4", FakeClock()
    sink = Mp4File(path, (64, 48), 25)
    for number in range(8):
        sink.send(flat((20 * number,) * 3))
    sink.close()
    camera = VideoCamera(path, clock=clock, messages=Messages(Said(), clock), stats=Stats())
    times: list[float] = []

    def deliver(frame: object) -> None:
        times.append(clock.now())
        if len(times) == 3:
            camera.rest()
            camera._awake.wait = lambda: (clock.pass_time(100), camera.wake())  # type: ignore[assignment,method-assign]

    start_s = clock.now()
    camera.play_once(deliver)
    assert [time_s - start_s for time_s in times] == pytest.approx([n / 25 + (100 if n > 2 else 0) for n in range(8)], abs=0.01)


def test_always_on_counts_as_a_viewer() -> None:
    watching = Watching()
    watching.watcher = False
    watching.run(AWAY_S + 1)
    for _ in range(2):
        watching.clock.pass_time(LOOK_EVERY_S)
        watching.presence.look(always_on=True)
    assert watching.happened == ["rest", "wake"]


def test_an_open_preview_page_is_a_watcher() -> None:
    page = PreviewPage(0, 80, FakeControl([]))
    try:
        page.send(flat((1, 2, 3), 64, 48))
        assert not page.watched()
        with httpx.stream("GET", page.address + "stream.mjpg", timeout=5) as response:
            pictures = response.iter_bytes()
            next(pictures)
            assert page.watched()
        assert wait_for(lambda: not page.watched())
    finally:
        page.close()


def test_openers_are_searched_for_only_when_the_device_was_opened_or_closed(tmp_path: Path) -> None:
    path = tmp_path / "video0"
    path.touch()
    searches: list[bool] = []
    found = False

    def search(_path: Path) -> bool:
        searches.append(found)
        return found

    readers = Readers(path, search=search)
    try:
        assert not readers.any()
        assert not readers.any()
        assert len(searches) == 1
        found = True
        with path.open("rb"):
            assert readers.any()
            found = False
        assert not readers.any()
        assert not readers.any()
        assert len(searches) == 3
    finally:
        readers.close()


def test_where_openers_cannot_be_told_somebody_watches(tmp_path: Path) -> None:
    readers = Readers(tmp_path / "no such device", search=lambda _path: False)
    assert readers.any()
    readers.close()
    with pytest.raises(OSError, match="cannot be watched"):
        open_watch(tmp_path / "no such device")


def test_other_processes_are_told_from_this_one(tmp_path: Path) -> None:
    device, processes = tmp_path / "video0", tmp_path / "proc"
    for process, files in {"self": [device], str(os.getpid()): [device], "77": [tmp_path / "other"]}.items():
        (processes / process / "fd").mkdir(parents=True)
        for number, file in enumerate(files):
            (processes / process / "fd" / str(number)).symlink_to(file)
    (processes / "78").mkdir()  # ended meanwhile, or somebody else's
    assert not others_have_open(device, processes)
    (processes / "77" / "fd" / "5").symlink_to(device)
    assert others_have_open(device, processes)
