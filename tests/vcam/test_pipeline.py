"""From camera to screen: faces drive, losses pass through idling to the privacy card, failures never end the stream."""

from __future__ import annotations

import ast
from itertools import repeat
from pathlib import Path
from threading import Event

import numpy as np
import pytest

import vcam
from engine.video import Frame
from tests.fakes import (
    AVATAR_COLOUR,
    MARKER,
    FakeAnimator,
    FakeCamera,
    FakeClock,
    FakeDriver,
    FakeMotion,
    FakeSink,
    FakeTracker,
    Said,
    fake_avatar,
    fake_face,
    flat,
)
from vcam.cards import placeholder, privacy_card
from vcam.cue import Cue
from vcam.loop import SinkLoop
from vcam.messages import Messages
from vcam.performer import Performer
from vcam.portrayer import FADE_S, Portrayer
from vcam.screen import STALL_S, Screen, Shown
from vcam.stats import Stats

SIZE = (160, 128)


class Rig:
    """All parts on one fake clock, stepped by hand: ``advance`` lets one camera picture through the whole chain."""

    def __init__(self, camera: object, trackers: list[FakeTracker | Exception] | None = None) -> None:
        self.clock, self.said = FakeClock(), Said()
        self.messages = Messages(self.said, self.clock)
        self.trackers = iter(trackers or [FakeTracker()])
        self.drivers: list[FakeDriver] = []
        self.animator = FakeAnimator()
        self.camera = FakeCamera(self.clock, iter(camera))  # type: ignore[call-overload]
        common = {"clock": self.clock, "messages": self.messages, "stats": Stats()}
        self.performer = Performer(self._open_tracker, self._make_driver, **common)  # type: ignore[arg-type]
        self.portrayer = Portrayer(self.animator, SIZE, **common)  # type: ignore[arg-type]
        self.screen, self.sink = Screen(SIZE), FakeSink()
        self.loop = SinkLoop(self.screen, [self.sink], 30, clock=self.clock, stats=Stats())

    def _open_tracker(self) -> FakeTracker:
        tracker = next(self.trackers)
        if isinstance(tracker, Exception):
            raise tracker
        return tracker

    def _make_driver(self, source: object) -> FakeDriver:
        self.drivers.append(FakeDriver(source))  # type: ignore[arg-type]
        return self.drivers[-1]

    def advance(self, count: int = 1) -> list[str]:
        """Takes ``count`` pictures; the states that were sent."""
        states = []
        for _ in range(count):
            cue = self.performer.step(self.camera.take(0.1))
            if cue is not None:
                picture = self.portrayer.portray(cue)
                self.screen.show(Shown(picture, cue.motion.state, cue.avatar.name, cue.captured_s, shown_s=self.clock.now()))
            self.loop.tick(placeholders=True)
            assert self.loop.newest is not None
            states.append(self.loop.newest.state)
        return states

    @property
    def last(self) -> np.ndarray:
        return self.sink.sent[-1]


def centre(picture: np.ndarray) -> tuple[int, ...]:
    return tuple(picture[picture.shape[0] // 2, picture.shape[1] // 2].tolist())


def test_the_placeholder_is_sent_until_the_avatar_is_there() -> None:
    rig = Rig(repeat(True))
    assert rig.advance(3) == ["starting"] * 3
    assert (rig.last == placeholder(SIZE)).all()
    rig.performer.offer(fake_avatar())
    assert rig.advance(2) == ["driving"] * 2
    assert centre(rig.last) == AVATAR_COLOUR
    assert (rig.loop.placeholders, rig.loop.sent) == (3, 2)


def test_a_lost_face_is_held_idles_and_ends_in_the_privacy_card() -> None:
    rig = Rig(repeat(True), [FakeTracker(iter([fake_face()] * 10))])
    rig.performer.offer(fake_avatar())
    states = rig.advance(120)
    assert [state for number, state in enumerate(states) if number == 0 or state != states[number - 1]] == [
        "driving", "holding", "idle", "privacy",
    ]  # fmt: skip
    assert (rig.last == privacy_card(SIZE)).all()


def test_a_stalled_camera_counts_as_a_lost_face_but_a_slow_one_does_not() -> None:
    slow = [number % 6 == 0 for number in range(60)]  # 5 pictures a second
    rig = Rig([*slow, *[False] * 100])
    rig.performer.offer(fake_avatar())
    assert set(rig.advance(60)) == {"driving"}
    assert rig.advance(100)[-1] == "privacy"


def test_a_tracker_that_raises_is_replaced_and_never_ends_the_stream() -> None:
    broken = FakeTracker(iter([fake_face(), RuntimeError("graph died")]))
    rig = Rig(repeat(True), [broken, RuntimeError("no memory"), FakeTracker()])
    rig.performer.offer(fake_avatar())
    states = rig.advance(200)
    assert broken.closed
    assert states[0] == states[-1] == "driving"
    assert "privacy" in states
    assert len(rig.sink.sent) == 200
    assert [sentence for sentence in rig.said if "died" in sentence or "memory" in sentence] == []
    assert rig.said[0].startswith("Tracking the face failed (RuntimeError)")


def test_a_driver_that_raises_leaves_the_last_picture_and_then_the_card() -> None:
    rig = Rig(repeat(True))
    rig.performer.offer(fake_avatar())
    rig.advance(3)
    rig.drivers[0].fail = ValueError("nan")
    states = rig.advance(round((STALL_S + 1) * 30))
    assert states[0] == "driving"
    assert states[-1] == "stalled"
    assert (rig.last == privacy_card(SIZE)).all()
    rig.drivers[0].fail = None
    assert rig.advance(1) == ["driving"]


def test_a_drawing_that_fails_shows_the_card_and_comes_back() -> None:
    rig = Rig(repeat(True))
    rig.performer.offer(fake_avatar())
    rig.advance(3)
    rig.animator.fail = RuntimeError("device lost")
    rig.advance(30)
    assert (rig.last == privacy_card(SIZE)).all()
    assert rig.said == ["Drawing the avatar failed (RuntimeError); the camera goes on without it."]
    rig.animator.fail = None
    rig.advance(30)
    assert centre(rig.last) == AVATAR_COLOUR


def test_a_new_avatar_cross_fades_without_a_dark_or_stalled_picture() -> None:
    rig = Rig(repeat(True))
    red, blue = fake_avatar("red", (200, 40, 40)), fake_avatar("blue", (40, 40, 200))
    rig.performer.offer(red)
    rig.advance(5)
    rig.performer.offer(blue)
    rig.advance(30)
    reds = [centre(picture)[0] for picture in rig.sink.sent[5:]]
    assert reds == sorted(reds, reverse=True)
    between = [red for red in reds if 45 < red < 195]
    assert len(between) == pytest.approx(FADE_S * 30, abs=2)
    assert min(sum(centre(picture)) for picture in rig.sink.sent) > 250
    assert centre(rig.last) == (40, 40, 200)
    assert len(rig.drivers) == 1  # what is known of the driver stays
    assert rig.drivers[0].source is blue.coefficients


def test_motions_of_the_old_avatar_are_never_drawn_on_the_new_one() -> None:
    rig = Rig(repeat(True))
    red, blue = fake_avatar("red", (200, 40, 40)), fake_avatar("blue", (40, 40, 200))
    for avatar in (red, blue):
        cue = Cue(avatar, FakeMotion(avatar.coefficients, "driving"), None, face_found=True)
        rig.portrayer.portray(cue)
        assert rig.animator.source is avatar.source
        assert rig.animator.drawn[-1] is avatar.coefficients


@pytest.mark.parametrize(
    ("network_every", "wanted"),
    [(1, ["new"] * 6), (2, ["kept", "new"] * 3), (0, ["none"] * 6)],
)
def test_the_network_corrects_as_often_as_it_may(network_every: int, wanted: list[str]) -> None:
    rig = Rig(repeat(True))
    red = fake_avatar("red", (200, 40, 40))
    for _ in wanted:
        rig.portrayer.portray(Cue(red, FakeMotion(red.coefficients, "driving"), None, face_found=True), network_every)
    assert rig.animator.corrections == wanted


def test_after_a_rest_the_avatar_moves_before_the_camera_delivers() -> None:
    rig = Rig([*[True] * 5, *[False] * 95, *[False] * 5])
    rig.performer.offer(fake_avatar())
    rig.advance(5)
    assert rig.advance(95)[-1] == "privacy"
    rig.performer.resume()
    assert rig.advance(1) != ["privacy"]


def test_a_sinks_clock_skips_times_that_have_passed_and_stays_even() -> None:
    clock, screen, times, stats = FakeClock(), Screen(SIZE), list[float](), Stats()
    screen.show(Shown(flat((9, 9, 9)), "driving", shown_s=clock.now()))

    class SlowSink(FakeSink):
        def send(self, picture: np.ndarray) -> None:
            times.append(clock.now())
            clock.pass_time(0.05 if len(times) == 3 else 0.01)

    SinkLoop(screen, [SlowSink()], 30, clock=clock, stats=stats).run(Event(), frames=9, placeholders=True, check=lambda: None)
    places = (np.array(times) - times[0]) * 30
    assert places == pytest.approx([0, 1, 2, 4, 5, 6, 7, 8, 9], abs=1e-6)
    jitter = stats.percentiles_ms("jitter")
    assert jitter is not None
    assert jitter[0] == 0


def test_a_late_picture_is_not_waited_for() -> None:
    clock, sink, screen = FakeClock(), FakeSink(), Screen(SIZE)
    loop = SinkLoop(screen, [sink], 30, clock=clock, stats=Stats())
    for number in range(10):  # drawing takes 0.2 s a picture
        clock.at(
            0.2 * number,
            lambda: screen.show(Shown(flat((9, 9, 9)), "driving", captured_s=clock.now() - 0.1, shown_s=clock.now())),
        )
    start_s = clock.now()
    loop.run(Event(), frames=60, placeholders=True, check=lambda: None)
    assert clock.now() - start_s == pytest.approx(59 / 30, abs=0.04)
    assert len(sink.sent) == 60
    assert loop.rate.per_second() == pytest.approx(5, abs=0.5)


def test_a_slow_sink_is_not_caught_up_with_a_burst() -> None:
    clock, screen = FakeClock(), Screen(SIZE)
    screen.show(Shown(flat((9, 9, 9)), "driving", shown_s=clock.now()))
    times = []

    class SlowSink(FakeSink):
        def send(self, picture: np.ndarray) -> None:
            times.append(clock.now())
            clock.pass_time(1.0 if len(times) == 3 else 0.0)

    SinkLoop(screen, [SlowSink()], 30, clock=clock, stats=Stats()).run(Event(), frames=10, placeholders=True, check=lambda: None)
    assert min(np.diff(times)) > 0.03


def test_files_get_no_placeholders_and_exactly_the_frames_wanted() -> None:
    clock, sink, screen = FakeClock(), FakeSink(), Screen(SIZE)
    clock.at(1.0, lambda: screen.show(Shown(flat((9, 9, 9)), "driving", shown_s=clock.now())))
    SinkLoop(screen, [sink], 30, clock=clock, stats=Stats()).run(Event(), frames=7, placeholders=False, check=lambda: None)
    assert [centre(picture) for picture in sink.sent] == [(9, 9, 9)] * 7


def test_latency_is_from_capture_to_sink() -> None:
    stats = Stats()
    clock, screen = FakeClock(), Screen(SIZE)
    screen.show(Shown(flat((9, 9, 9)), "driving", captured_s=clock.now() - 0.08, shown_s=clock.now()))
    loop = SinkLoop(screen, [], 30, clock=clock, stats=stats)
    loop.tick(placeholders=True)
    loop.tick(placeholders=True)  # a repetition is not counted again
    assert stats.percentiles_ms("latency") == (80.0, 80.0)


@pytest.mark.parametrize("fault", ["none", "no face", "tracker", "driver", "animator", "camera", "tracker never opens", "swap"])
def test_no_pixel_of_the_camera_ever_reaches_a_sink(fault: str) -> None:
    trackers: list[FakeTracker | Exception] = [FakeTracker()]
    if fault == "no face":
        trackers = [FakeTracker(iter([]))]
    if fault == "tracker":
        trackers = [FakeTracker(iter([fake_face(), RuntimeError(str(MARKER))])), *[RuntimeError("x")] * 9]
    if fault == "tracker never opens":
        trackers = [RuntimeError("x")] * 9
    rig = Rig([True] * 20 if fault == "camera" else repeat(True), trackers)
    rig.advance(2)
    rig.performer.offer(fake_avatar())
    rig.advance(10)
    if fault == "driver":
        rig.drivers[0].fail = RuntimeError("x")
    if fault == "animator":
        rig.animator.fail = RuntimeError("x")
    if fault == "swap":
        rig.performer.offer(fake_avatar("blue", (40, 40, 200)))
    rig.advance(150)
    assert len(rig.sink.sent) == 162
    for picture in {id(sent): sent for sent in rig.sink.sent}.values():
        marked = (np.abs(picture.astype(int) - MARKER) < 60).all(2)
        assert not marked.any()
    assert str(MARKER) not in rig.said.text


def test_the_pictures_side_does_not_even_know_frames() -> None:
    """What draws and sends imports neither the camera's frames nor the modules that deliver them."""
    folder = Path(vcam.__file__).parent
    modules = [folder / f"{name}.py" for name in ("portrayer", "compose", "screen", "loop", "cue", "avatar")]
    for path in [*modules, *(folder / "sinks").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith(("vcam.capture", "vcam.performer", "engine.track")), path
                assert "Frame" not in {alias.name for alias in node.names}, path


def test_a_cue_has_no_place_for_a_picture() -> None:
    """The structure behind the promise: all that crosses is coefficients, a word, a time, a truth and the avatar."""
    rig = Rig(repeat(True))
    rig.performer.offer(fake_avatar())
    frame = Frame(flat(MARKER), 1.0)
    cue = rig.performer.step(frame)
    assert cue is not None
    assert set(vars(cue)) == {"avatar", "motion", "captured_s", "face_found"}
    arrays = [value for value in vars(cue.motion.z).values() if isinstance(value, np.ndarray)]
    assert sum(array.size for array in arrays) == 261
    assert not any(np.shares_memory(array, frame.image) for array in arrays)


def test_a_new_calibration_waits_for_a_face() -> None:
    rig = Rig(repeat(True), [FakeTracker(iter([fake_face(), None, None, fake_face(), fake_face()]))])
    rig.performer.offer(fake_avatar())
    rig.advance()
    rig.performer.recalibrate()
    rig.advance(2)
    assert rig.drivers[0].recalibrated == 0
    rig.advance(2)
    assert rig.drivers[0].recalibrated == 1
    assert rig.said == ["Calibrated: the face of this moment is the one at rest."]


def test_a_recording_cannot_be_calibrated() -> None:
    clock, said = FakeClock(), Said()
    performer = Performer(None, FakeDriver, clock=clock, messages=Messages(said, clock), stats=Stats())  # type: ignore[arg-type]
    performer.recalibrate()
    assert said == ["There is nobody to calibrate to: a recording moves the avatar."]
