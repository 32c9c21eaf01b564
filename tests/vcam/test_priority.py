"""Several sources: the highest that sees somebody moves the avatar; silence hands over; what is not needed rests."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.recording import MOTION, Recording
from engine.values import EXPRESSION_NAMES, Coefficients
from tests.fakes import FakeClock, Said
from vcam.drive import Drive
from vcam.interfaces import Closable
from vcam.messages import Messages
from vcam.motion import Observation, Priority
from vcam.sources.priority import REST_AFTER_S, SILENT_S, PrioritizedSources
from vcam.sources.recording import RecordingSource

STEP_S = 1 / 30
JAW = EXPRESSION_NAMES.index("jawOpen")


@dataclass
class ScriptedSource:
    """Sees a face whose jaw is open by ``jaw`` while ``sees`` is set."""

    name: str
    priority: Priority
    clock: FakeClock
    jaw: float = 0.0
    sees: bool = True
    follows: bool = True
    remembered_as: str | None = None
    log: list[str] = field(default_factory=list)

    def start(self) -> None:
        self.log.append("start")

    def prepare(self) -> None:
        self.log.append("prepare")

    def take(self, timeout_s: float) -> Observation | None:
        self.log.append("take")
        self.clock.pass_time(timeout_s)
        if not self.sees:
            return None
        z = Coefficients.neutral()
        z.expression[JAW] = self.jaw
        return Observation(z, self.clock.now(), relative=True)

    def recalibrate(self) -> None:
        self.log.append("recalibrate")

    def use_regressor(self, regressor: Closable) -> Closable:
        return regressor

    def rest(self) -> None:
        self.log.append("rest")

    def wake(self) -> None:
        self.log.append("wake")

    def close(self) -> None:
        self.log.append("close")


class InstantRecording(RecordingSource):
    """One that lets the clock's time pass instead of waiting."""

    def take(self, timeout_s: float) -> Observation | None:
        self._clock.wait_until(self._clock.now() + timeout_s)
        return self.observe()


class Stage:
    """A phone over a webcam, which drive a portrait."""

    def __init__(self) -> None:
        self.clock, self.said = FakeClock(), Said()
        self.webcam = ScriptedSource("webcam 0", Priority.WEBCAM, self.clock, jaw=0.1)
        self.phone = ScriptedSource("phone", Priority.PHONE, self.clock, jaw=0.6)
        self.sources = PrioritizedSources([self.webcam, self.phone], self.clock, Messages(self.said, self.clock))
        self.drive = Drive(Coefficients.neutral())
        self.jaws: list[float] = []

    def run(self, seconds: float) -> None:
        end_s = self.clock.now() + seconds
        while self.clock.now() < end_s:
            observation = self.sources.take(STEP_S)
            if self.clock.now() < end_s and observation is None:
                self.clock.pass_time(STEP_S)
            shown = self.drive.step(observation or Observation(None, self.clock.now()), self.sources.name)
            self.jaws.append(float(shown.z.expression[JAW]))
            self.clock.pass_time(0.001)


def test_the_phone_goes_before_the_webcam_and_the_webcam_takes_over_with_a_fade() -> None:
    stage = Stage()
    stage.run(1)
    assert (stage.sources.name, stage.sources.states()) == ("phone", {"phone": "drives", "webcam 0": "waits"})
    assert "take" not in stage.webcam.log
    stage.phone.sees = False
    stage.run(SILENT_S + 2)
    assert (stage.sources.name, stage.sources.states()) == ("webcam 0", {"phone": "waits", "webcam 0": "drives"})
    assert stage.jaws[-1] < 0.11
    stage.phone.sees = True
    stage.run(1)
    assert stage.jaws[-1] > 0.59
    assert np.abs(np.diff(stage.jaws)).max() < 0.15  # never a jump
    assert stage.said == ["phone moves the avatar.", "webcam 0 moves the avatar.", "phone moves the avatar."]


def test_what_is_not_needed_for_long_rests_and_is_woken() -> None:
    stage = Stage()
    stage.run(REST_AFTER_S + 1)
    assert stage.webcam.log == ["rest"]
    assert stage.sources.states()["webcam 0"] == "rests"
    stage.phone.sees = False
    stage.run(SILENT_S + 0.5)
    assert stage.webcam.log[:3] == ["rest", "wake", "take"]
    assert stage.sources.name == "webcam 0"


def test_a_face_that_is_lost_for_a_moment_hands_nothing_over() -> None:
    stage = Stage()
    stage.run(1)
    stage.phone.sees = False
    stage.run(SILENT_S * 0.6)
    stage.phone.sees = True
    stage.run(0.5)
    assert stage.sources.name == "phone"
    assert "take" not in stage.webcam.log


def test_a_one_shot_goes_before_all_ends_and_is_closed() -> None:
    stage = Stage()
    stage.run(1)
    times = np.linspace(0, 1, 31)
    motion = np.zeros((31, MOTION), np.float32)
    motion[:, JAW] = 1.0
    flags = np.ones(31, bool)
    played = InstantRecording(
        "wink.z", Recording(times, motion, flags, flags, np.zeros(31)), stage.clock, priority=Priority.ONE_SHOT
    )
    stage.sources.play(played)
    stage.run(0.8)
    assert stage.sources.name == "wink.z"
    assert stage.jaws[-1] > 0.95
    stage.run(1.5)
    assert stage.sources.name == "phone"
    assert list(stage.sources.states()) == ["phone", "webcam 0"]
    assert played._closed.is_set()
    assert abs(stage.jaws[-1] - 0.6) < 0.02


def test_all_are_closed_and_calibration_is_the_winners() -> None:
    stage = Stage()
    stage.run(0.5)
    stage.sources.recalibrate()
    stage.sources.close()
    assert "recalibrate" in stage.phone.log
    assert "recalibrate" not in stage.webcam.log
    assert (stage.phone.log[-1], stage.webcam.log[-1]) == ("close", "close")


def test_each_source_has_a_rest_of_its_own() -> None:
    """A head that is turned for the webcam, which stands aside, and straight for the phone, is at rest for both."""
    drive, turned, straight = Drive(Coefficients.neutral()), Coefficients.neutral(), Coefficients.neutral()
    turned.pose[1] = 0.4
    for number in range(60):
        drive.step(Observation(turned, number / 30), "webcam 0")
    for number in range(60, 120):
        drive.step(Observation(straight, number / 30), "phone")
    shown = [drive.step(Observation(turned, number / 30), "webcam 0").z.pose[1] for number in range(120, 150)]
    assert np.abs(shown).max() < 0.01
