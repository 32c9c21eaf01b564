"""The coded pictures, and the loop through a scripted camera: what arrives, late, twice, torn or never."""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import pytest

from engine.errors import DeviceError
from engine.values import Picture
from tests.fakes import FakeClock, flat
from tests.vcam.doctor.systems import HEALTHY, OURS, USB, with_nodes
from vcam.doctor.checks import run_checks
from vcam.doctor.coded_frames import PATCHES, colour_error, read_code, write_code
from vcam.doctor.facts import VideoNode
from vcam.doctor.loop_test import LoopResult, RoundTrip, judge, loop_finding, run_loop, summary

SIZE = (320, 180)


def coded(number: int, size: tuple[int, int] = SIZE) -> Picture:
    picture = np.empty((size[1], size[0], 3), np.uint8)
    write_code(picture, number)
    return picture


@pytest.mark.parametrize("number", [0, 1, 255, 256, 4711, 65535])
@pytest.mark.parametrize("size", [(128, 128), (1280, 720), (512, 512), (130, 182)])
def test_numbers_are_read_back(number: int, size: tuple[int, int]) -> None:
    assert read_code(coded(number, size)) == number


def test_numbers_survive_what_cameras_do_to_pictures() -> None:
    picture = coded(4711, (1280, 720))
    i420 = cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420)
    assert read_code(cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420)) == 4711
    assert read_code(cv2.resize(picture, (320, 240), interpolation=cv2.INTER_AREA)) == 4711
    _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 40])
    assert read_code(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)) == 4711


def test_other_pictures_carry_no_number() -> None:
    for colour in [(0, 0, 0), (255, 255, 255), (90, 120, 200)]:
        assert read_code(flat(colour, *SIZE)) is None
    for number in range(300):
        torn = coded(number)
        torn[90:] = coded(number + 1)[90:]
        assert read_code(torn) is None
    shifted = np.roll(coded(77), SIZE[1] // 4, axis=0)
    assert read_code(shifted) != 77


def test_colours_are_compared_with_what_was_drawn() -> None:
    picture = coded(3)
    assert colour_error(picture) == 0
    picture[-40:, : SIZE[0] // 4] = PATCHES[0] + np.array([16, 19, 0], np.uint8)
    assert colour_error(picture) == 19


@dataclass
class Cable:
    """A virtual camera and its reader in one: what is sent can be read. ``change`` may drop (None) or replace a picture."""

    change: Callable[[int, Picture], list[Picture]] = lambda _number, picture: [picture]
    sent: int = 0
    closed: int = 0
    device: str = "/dev/video9"
    pictures: queue.Queue[Picture] = field(default_factory=lambda: queue.Queue(64))

    def send(self, picture: Picture) -> None:
        for passed in self.change(self.sent, picture.copy()):
            self.pictures.put(passed, timeout=5)
        self.sent += 1

    def read(self) -> Picture | None:
        try:
            return self.pictures.get(timeout=5)
        except queue.Empty:
            return None

    def close(self) -> None:
        self.closed += 1
        while not self.pictures.empty():  # a sender that waits is let go
            self.pictures.get_nowait()


def through(cable: Cable, wanted: int = 40) -> LoopResult:
    return run_loop(lambda: cable, lambda _device: cable, SIZE, 30, clock=FakeClock(), wanted=wanted)


def test_a_good_camera_loses_nothing() -> None:
    cable = Cable()
    result = through(cable)
    assert (result.expected, result.dropped, result.repeated, result.foreign, result.colour_error) == (40, 0, 0, 0, 0)
    assert cable.closed == 2  # as sink and as reader


def test_drops_repetitions_and_foreign_pictures_are_counted() -> None:
    def change(number: int, picture: Picture) -> list[Picture]:
        return {0: [], 1: [picture, picture], 2: [flat((5, 5, 5), *SIZE), picture]}.get(number % 5, [picture])

    result = through(Cable(change), wanted=50)
    # of every five: one lost, one twice
    assert result.dropped == pytest.approx(result.expected / 5, abs=1)
    assert result.repeated == pytest.approx(result.expected / 5, abs=1)
    assert result.foreign >= 10
    assert judge(result).state == "ok"


def test_a_camera_that_swallows_everything_is_told() -> None:
    class Deaf(Cable):
        def read(self) -> Picture | None:
            return None

    cable = Deaf()
    with pytest.raises(DeviceError, match="only 0 came back"):
        through(cable)
    assert cable.closed == 2


def test_a_camera_that_fails_while_sending_is_told() -> None:
    def change(number: int, picture: Picture) -> list[Picture]:
        if number == 5:
            raise DeviceError("The virtual camera takes no more pictures.")
        return [picture]

    class Repeating(Cable):
        def read(self) -> Picture | None:
            return flat((0, 0, 0), *SIZE)

    with pytest.raises(DeviceError, match="takes no more"):
        through(Repeating(change))


def test_a_reader_that_cannot_be_opened_leaves_nothing_open() -> None:
    cable = Cable()

    def refuse(_device: str) -> Cable:
        raise DeviceError("Camera 9 cannot be opened for reading.")

    with pytest.raises(DeviceError, match="Camera 9"):
        run_loop(lambda: cable, refuse, SIZE, 30, clock=FakeClock(), wanted=5)
    assert cable.closed == 1


def test_latency_counts_the_first_arrival() -> None:
    trips = [
        RoundTrip(7, 1.00, 1.01, 1),
        RoundTrip(8, 1.03, 1.05, 2),
        RoundTrip(8, 1.03, 1.30, 0),
        RoundTrip(10, 1.10, 1.13, 0),
    ]
    result = summary(trips, foreign=3)
    assert result.p50_ms == 20.0
    assert result.p95_ms == 29.0
    assert (result.expected, result.dropped, result.repeated, result.foreign, result.colour_error) == (4, 1, 1, 3, 2)
    assert result.fps == pytest.approx(25.0)


def test_what_the_loop_finds_is_judged() -> None:
    good = LoopResult(3.2, 5.1, 30.0, 90, 1, 0, 0, 2)
    assert "3.2 ms from sending to reading, p95 5.1 ms; 1 of 90 pictures dropped" in judge(good).detail
    lossy = LoopResult(3.2, 5.1, 30.0, 90, 80, 0, 0, 2)
    assert "too busy" in judge(lossy).fix[0]
    tinted = LoopResult(3.2, 5.1, 30.0, 90, 0, 0, 0, 60)
    assert "colours" in judge(tinted).fix[0]


def test_without_a_virtual_camera_the_loop_says_what_is_missing() -> None:
    system = with_nodes()
    found, numbers = loop_finding(system, run_checks(system))
    assert (found.state, numbers) == ("absent", None)
    assert "see virtual camera" in found.detail


def test_our_own_running_camera_is_left_alone() -> None:
    sending = with_nodes(VideoNode(USB), VideoNode(replace(OURS, capture=True, output=False), users=("hifihead (7)",), ours=True))
    found, numbers = loop_finding(sending, run_checks(sending), open_camera=lambda *_: pytest.fail("it was opened"))
    assert (found.state, numbers) == ("absent", None)
    assert "HifiHead Cam is sending; end it" in found.detail


def test_with_one_it_is_tried() -> None:
    cable = Cable()
    found, numbers = loop_finding(
        HEALTHY, run_checks(HEALTHY), open_camera=lambda *_: cable, open_reader=lambda _device: cable, clock=FakeClock()
    )
    assert found.state == "ok"
    assert numbers is not None
    assert numbers["expected"] == 90

    def refuse(*_arguments: object) -> Cable:
        raise DeviceError("The virtual camera is in use by another program.")

    found, numbers = loop_finding(HEALTHY, run_checks(HEALTHY), open_camera=refuse, clock=FakeClock())
    assert (found.state, numbers) == ("failed", None)
    assert "in use" in found.detail
