"""The driver's rest outlives the program: one for each source and avatar, place included, in a file that may be damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.values import BLINKS, EXPRESSION_NAMES, Coefficients
from tests.fakes import FakeClock, Said
from vcam.drive import DriveOptions
from vcam.drive.memory import MOST_ENTRIES, RestMemory
from vcam.drive.neutral import Neutral, Rest
from vcam.messages import Messages
from vcam.motion import Observation
from vcam.pipeline.driving import KEEP_EVERY_S, DrivingStage
from vcam.stats import Stats

JAW = EXPRESSION_NAMES.index("jawOpen")
PORTRAIT = Coefficients.neutral()


def driver(yaw: float = 0.1, jaw: float = 0.12, x_dm: float = 0.3) -> Coefficients:
    z = Coefficients.neutral()
    z.pose[1], z.pose[3], z.expression[JAW] = yaw, x_dm, jaw
    return z


class Start:
    """One start of the program."""

    def __init__(self, path: Path, avatar: str = "me.jpg") -> None:
        self.clock, self.said = FakeClock(), Said()
        messages = Messages(self.said, self.clock)
        self.stage = DrivingStage(
            DriveOptions(), clock=self.clock, messages=messages, stats=Stats(), memory=RestMemory(path, messages)
        )
        self.stage.use(1, PORTRAIT, avatar)

    def see(self, z: Coefficients, seconds: float, *, source: str = "webcam 0", remembered: bool = True) -> Coefficients:
        """What is shown at last."""
        shown = PORTRAIT
        for _ in range(max(1, round(30 * seconds))):
            self.clock.pass_time(1 / 30)
            frame = self.stage.step(Observation(z, self.clock.now()), source, remembered_as=source if remembered else None)
            assert frame is not None
            shown = frame.z
        return shown


def test_the_next_start_begins_with_the_rest_of_the_last(tmp_path: Path) -> None:
    path = tmp_path / "data" / "rest.toml"
    first = Start(path)
    first.see(driver(), 3)
    first.stage.keep()
    assert path.stat().st_mode & 0o077 == 0
    again = Start(path)
    shown = again.see(driver(yaw=0.15, jaw=0.4, x_dm=0.5), 0.5)  # the first moment is not one of rest
    assert shown.pose[1] == pytest.approx(0.05, abs=0.01)
    assert shown.pose[3] == pytest.approx(0.7 * 0.2, abs=0.02)
    assert shown.expression[JAW] == pytest.approx(0.28, abs=0.04)
    other = Start(path, "somebody.jpg").see(driver(yaw=0.15), 0.5)
    assert other.pose[1] == pytest.approx(0, abs=0.01)


def test_each_source_and_avatar_has_its_own(tmp_path: Path) -> None:
    path = tmp_path / "rest.toml"
    first = Start(path)
    first.see(driver(yaw=0.1), 2)
    first.see(driver(yaw=-0.15), 2, source="phone")
    first.stage.keep()
    again = Start(path)
    assert again.see(driver(yaw=-0.15), 0.5, source="phone").pose[1] == pytest.approx(0, abs=0.01)
    assert again.see(driver(yaw=0.1), 0.5).pose[1] == pytest.approx(0, abs=0.01)


def test_who_sits_elsewhere_by_now_is_at_rest_after_a_second(tmp_path: Path) -> None:
    path = tmp_path / "rest.toml"
    first = Start(path)
    first.see(driver(yaw=0.1), 2)
    first.stage.keep()
    again = Start(path)
    shown = again.see(driver(yaw=0.5, x_dm=2.0), 1.5)
    np.testing.assert_allclose(shown.pose, PORTRAIT.pose, atol=0.02)


def test_what_is_not_to_be_remembered_is_not(tmp_path: Path) -> None:
    start = Start(tmp_path / "rest.toml")
    start.see(driver(), 2, source="clip.mp4", remembered=False)
    start.stage.keep()
    assert not (tmp_path / "rest.toml").exists()


def test_a_stranger_is_not_taken_for_the_owner(tmp_path: Path) -> None:
    path = tmp_path / "rest.toml"
    first = Start(path)
    first.see(driver(yaw=0.1), 2)
    for _ in range(60):
        first.clock.pass_time(1 / 30)
        first.stage.step(Observation(driver(yaw=-0.3), first.clock.now(), driver_number=1), "webcam 0", remembered_as="webcam 0")
    first.stage.keep()
    assert Start(path).see(driver(yaw=0.1), 0.5).pose[1] == pytest.approx(0, abs=0.01)


def test_it_is_written_now_and_then_and_when_the_avatar_changes(tmp_path: Path) -> None:
    start = Start(tmp_path / "rest.toml")
    start.see(driver(), 1)
    assert not (tmp_path / "rest.toml").exists()
    start.clock.pass_time(KEEP_EVERY_S)
    start.see(driver(), 0.1)
    written = (tmp_path / "rest.toml").read_text()
    start.stage.use(2, PORTRAIT, "other.jpg")
    start.see(driver(), 1)
    start.stage.keep()
    assert written.count("other.jpg") == 0
    assert (tmp_path / "rest.toml").read_text().count("other.jpg") == 1


def test_a_calibration_replaces_what_was_remembered(tmp_path: Path) -> None:
    path = tmp_path / "rest.toml"
    first = Start(path)
    first.see(driver(yaw=0.1), 2)
    first.stage.keep()
    again = Start(path)
    again.see(driver(yaw=0.1), 1)
    again.stage.recalibrate()
    assert again.see(driver(yaw=0.2), 2).pose[1] == pytest.approx(0, abs=0.01)
    again.stage.keep()
    assert Start(path).see(driver(yaw=0.2), 0.5).pose[1] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(
    "text",
    ["version = 2\nrest = []", "not toml", "version = 1", 'version = 1\n[[rest]]\nsource = "a"\navatar = "b"\npose = [nan]'],
)
def test_a_damaged_file_counts_as_empty_and_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rest.toml"
    path.write_text(text)
    start = Start(path)
    assert "are learned anew" in start.said.text
    start.see(driver(), 2)
    start.stage.keep()
    assert RestMemory(path, Messages(Said(), FakeClock())).recall("webcam 0", "me.jpg") is not None


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    start = Start(tmp_path / "file" / "rest.toml")
    start.see(driver(), 2)
    start.stage.keep()
    assert "cannot be kept" in start.said.text


def test_the_oldest_entry_goes(tmp_path: Path) -> None:
    memory = RestMemory(tmp_path / "rest.toml", Messages(Said(), FakeClock()))
    rest = Neutral(driver(), 0).rest()
    for number in range(MOST_ENTRIES + 1):
        memory.keep("webcam 0", f"{number}.jpg", rest)
    assert memory.recall("webcam 0", "0.jpg") is None
    assert memory.recall("webcam 0", f"{MOST_ENTRIES}.jpg") is rest


def test_closed_eyes_are_remembered() -> None:
    rest = Rest(np.zeros(6), np.zeros(4), np.zeros(64), np.array([0.9, 0.8]))
    neutral = Neutral(driver(), 0, rest)
    z = driver()
    z.expression[BLINKS] = 0.5
    neutral.learn(z, 0.1)
    np.testing.assert_allclose(neutral.closed, [0.9, 0.8])
