"""From camera to latest: faces drive, losses pass through idling to the privacy card, failures never end the stream."""

from __future__ import annotations

from itertools import repeat
from threading import Event

import numpy as np
import pytest

from engine.values import Coefficients
from engine.video import Frame
from tests.fakes import (
    AVATAR_COLOUR,
    MARKER,
    FakeAnimator,
    FakeCamera,
    FakeClock,
    FakeRegressor,
    FakeSink,
    FakeTracker,
    Said,
    fake_avatar,
    fake_face,
    flat,
)
from vcam.avatars.avatar import Avatar
from vcam.avatars.cards import placeholder, privacy_card
from vcam.drive import DriveOptions
from vcam.messages import Messages
from vcam.motion import MotionFrame
from vcam.pipeline.driving import DrivingStage
from vcam.pipeline.latest import STALL_S, LatestFrame, OutputFrame
from vcam.pipeline.pacing import SinkLoop
from vcam.pipeline.rendering import FADE_S, RenderStage
from vcam.sources.tracking import TrackingStage
from vcam.stats import Stats

SIZE = (160, 128)


class Rig:
    """All stages on one fake clock, stepped by hand: ``advance`` lets one camera picture through the whole chain."""

    def __init__(self, camera: object, trackers: list[FakeTracker | Exception] | None = None) -> None:
        self.clock, self.said = FakeClock(), Said()
        self.messages = Messages(self.said, self.clock)
        self.trackers = iter(trackers or [FakeTracker()])
        self.regressor, self.animator = FakeRegressor(), FakeAnimator()
        self.camera = FakeCamera(self.clock, iter(camera))  # type: ignore[call-overload]
        common = {"clock": self.clock, "messages": self.messages, "stats": Stats()}
        self.tracking = TrackingStage(self._open_tracker, lambda: self.regressor, **common)  # type: ignore[arg-type]
        self.driving = DrivingStage(DriveOptions(hold_s=0.5, privacy_s=2.0), **common)  # type: ignore[arg-type]
        self.rendering = RenderStage(self.animator, SIZE, **common)  # type: ignore[arg-type]
        self.latest, self.sink = LatestFrame(SIZE), FakeSink()
        self.loop = SinkLoop(self.latest, [self.sink], 30, clock=self.clock, stats=Stats())

    def _open_tracker(self) -> FakeTracker:
        tracker = next(self.trackers)
        if isinstance(tracker, Exception):
            raise tracker
        return tracker

    def offer(self, avatar: Avatar) -> None:
        self.rendering.add(avatar)
        self.driving.use(avatar.id, avatar.coefficients)

    def advance(self, count: int = 1) -> list[str]:
        """Takes ``count`` pictures; the states that were sent."""
        states = []
        for _ in range(count):
            frame = self.camera.take(0.1)
            motion = self.driving.step(None if frame is None else self.tracking.observe(frame), "camera")
            output = None if motion is None else self.rendering.render(motion)
            if output is not None:
                self.latest.show(output)
            self.loop.tick()
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
    rig.offer(fake_avatar())
    assert rig.advance(2) == ["driving"] * 2
    assert centre(rig.last) == AVATAR_COLOUR
    assert (len(rig.sink.sent), rig.loop.sent) == (5, 2)


def test_a_lost_face_is_held_idles_and_ends_in_the_privacy_card() -> None:
    rig = Rig(repeat(True), [FakeTracker(iter([fake_face()] * 10))])
    rig.offer(fake_avatar())
    states = rig.advance(120)
    assert [state for number, state in enumerate(states) if number == 0 or state != states[number - 1]] == [
        "driving", "holding", "idle", "privacy",
    ]  # fmt: skip
    assert (rig.last == privacy_card(SIZE)).all()


def test_a_stalled_camera_counts_as_a_lost_face_but_a_slow_one_does_not() -> None:
    slow = [number % 6 == 0 for number in range(60)]  # 5 pictures a second
    rig = Rig([*slow, *[False] * 100])
    rig.offer(fake_avatar())
    assert set(rig.advance(60)) == {"driving"}
    assert rig.advance(100)[-1] == "privacy"


def test_a_tracker_that_raises_is_replaced_and_never_ends_the_stream() -> None:
    broken = FakeTracker(iter([fake_face(), RuntimeError("graph died")]))
    rig = Rig(repeat(True), [broken, RuntimeError("no memory"), FakeTracker()])
    rig.offer(fake_avatar())
    states = rig.advance(200)
    assert broken.closed
    assert states[0] == states[-1] == "driving"
    assert "privacy" in states
    assert len(rig.sink.sent) == 200
    assert [sentence for sentence in rig.said if "died" in sentence or "memory" in sentence] == []
    assert rig.said[0].startswith("Tracking the face failed (RuntimeError)")


def test_a_regressor_that_raises_counts_as_a_lost_face() -> None:
    rig = Rig(repeat(True))
    rig.offer(fake_avatar())
    rig.advance(3)
    rig.regressor.fail = ValueError("nan")
    states = rig.advance(4 * 30)
    assert states[0] == "driving"
    assert states[-1] == "privacy"
    assert (rig.last == privacy_card(SIZE)).all()
    assert rig.said[0].startswith("Reading the face failed (ValueError)")
    rig.regressor.fail = None
    assert rig.advance(1) == ["driving"]


def test_pictures_that_stop_coming_are_repeated_and_then_replaced_by_the_card() -> None:
    rig = Rig(repeat(True))
    rig.offer(fake_avatar())
    rig.advance(3)
    states = []
    for _ in range(round((STALL_S + 1) * 30)):
        rig.clock.pass_time(1 / 30)
        rig.loop.tick()
        states.append(rig.loop.newest.state)  # type: ignore[union-attr]
    assert (states[0], states[-1]) == ("driving", "stalled")
    assert (rig.last == privacy_card(SIZE)).all()
    assert rig.advance(1) == ["driving"]


def test_a_drawing_that_fails_shows_the_card_and_comes_back() -> None:
    rig = Rig(repeat(True))
    rig.offer(fake_avatar())
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
    rig.offer(red)
    rig.advance(5)
    rig.offer(blue)
    rig.advance(30)
    reds = [centre(picture)[0] for picture in rig.sink.sent[5:]]
    assert reds == sorted(reds, reverse=True)
    between = [red for red in reds if 45 < red < 195]
    assert len(between) == pytest.approx(FADE_S * 30, abs=2)
    assert min(sum(centre(picture)) for picture in rig.sink.sent) > 250
    assert centre(rig.last) == (40, 40, 200)
    assert rig.regressor.met == 1  # what is known of the driver stays
    np.testing.assert_array_equal(rig.animator.drawn[-1].identity, blue.coefficients.identity)


def motion_of(avatar: Avatar) -> MotionFrame:
    return MotionFrame(avatar.coefficients, "driving", 0.0, None, "test", avatar.id)


def test_motions_of_the_old_avatar_are_never_drawn_on_the_new_one() -> None:
    rig = Rig(repeat(True))
    red, blue = fake_avatar("red", (200, 40, 40)), fake_avatar("blue", (40, 40, 200))
    for avatar in (red, blue):
        rig.rendering.add(avatar)
        assert rig.rendering.render(motion_of(avatar)) is not None
        assert rig.animator.source is avatar.source
        assert rig.animator.drawn[-1] is avatar.coefficients
    assert rig.rendering.render(motion_of(red)) is None


def test_another_animator_draws_with_the_avatar_that_it_prepared() -> None:
    rig = Rig(repeat(True))
    red, other, again = fake_avatar("red", (200, 40, 40)), FakeAnimator(), fake_avatar("red", (200, 40, 40))
    rig.rendering.add(red)
    rig.rendering.render(motion_of(red))
    rig.rendering.use_animator(other, again)
    assert rig.rendering.render(motion_of(red)) is None
    assert rig.rendering.render(motion_of(again)) is not None
    assert other.source is again.source
    assert not rig.animator.closed  # it was lent


@pytest.mark.parametrize(
    ("network_every", "wanted"),
    [(1, ["new"] * 6), (2, ["kept", "new"] * 3), (0, ["none"] * 6)],
)
def test_the_network_corrects_as_often_as_it_may(network_every: int, wanted: list[str]) -> None:
    rig = Rig(repeat(True))
    red = fake_avatar("red", (200, 40, 40))
    rig.rendering.add(red)
    for _ in wanted:
        rig.rendering.render(motion_of(red), network_every)
    assert rig.animator.corrections == wanted


def test_after_a_rest_the_avatar_moves_before_the_camera_delivers() -> None:
    rig = Rig([*[True] * 5, *[False] * 95, *[False] * 5])
    rig.offer(fake_avatar())
    rig.advance(5)
    assert rig.advance(95)[-1] == "privacy"
    rig.driving.resume()
    assert rig.advance(1) != ["privacy"]


def test_a_sinks_clock_skips_times_that_have_passed_and_stays_even() -> None:
    clock, latest, times, stats = FakeClock(), LatestFrame(SIZE), list[float](), Stats()
    latest.show(OutputFrame(flat((9, 9, 9)), "driving", drawn_s=clock.now()))

    class SlowSink(FakeSink):
        def send(self, picture: np.ndarray) -> None:
            times.append(clock.now())
            clock.pass_time(0.05 if len(times) == 3 else 0.01)

    SinkLoop(latest, [SlowSink()], 30, clock=clock, stats=stats).run(Event(), frames=9, check=lambda: None)
    places = (np.array(times) - times[0]) * 30
    assert places == pytest.approx([0, 1, 2, 4, 5, 6, 7, 8, 9], abs=1e-6)
    jitter = stats.percentiles_ms("jitter")
    assert jitter is not None
    assert jitter[0] == 0


def test_a_late_picture_is_not_waited_for() -> None:
    clock, sink, latest = FakeClock(), FakeSink(), LatestFrame(SIZE)
    loop = SinkLoop(latest, [sink], 30, clock=clock, stats=Stats())
    for number in range(10):  # drawing takes 0.2 s a picture
        clock.at(
            0.2 * number,
            lambda: latest.show(OutputFrame(flat((9, 9, 9)), "driving", captured_s=clock.now() - 0.1, drawn_s=clock.now())),
        )
    start_s = clock.now()
    loop.run(Event(), frames=60, check=lambda: None)
    assert clock.now() - start_s == pytest.approx(59 / 30, abs=0.04)
    assert len(sink.sent) == 60
    assert loop.rate.per_second() == pytest.approx(5, abs=0.5)


def test_a_slow_sink_is_not_caught_up_with_a_burst() -> None:
    clock, latest = FakeClock(), LatestFrame(SIZE)
    latest.show(OutputFrame(flat((9, 9, 9)), "driving", drawn_s=clock.now()))
    times = []

    class SlowSink(FakeSink):
        def send(self, picture: np.ndarray) -> None:
            times.append(clock.now())
            clock.pass_time(1.0 if len(times) == 3 else 0.0)

    SinkLoop(latest, [SlowSink()], 30, clock=clock, stats=Stats()).run(Event(), frames=10, check=lambda: None)
    assert min(np.diff(times)) > 0.03


def test_files_get_no_placeholders_and_exactly_the_frames_wanted() -> None:
    clock, sink, latest = FakeClock(), FakeSink(placeholders=False), LatestFrame(SIZE)
    clock.at(1.0, lambda: latest.show(OutputFrame(flat((9, 9, 9)), "driving", drawn_s=clock.now())))
    SinkLoop(latest, [sink], 30, clock=clock, stats=Stats()).run(Event(), frames=7, check=lambda: None)
    assert [centre(picture) for picture in sink.sent] == [(9, 9, 9)] * 7


def test_latency_is_from_capture_to_sink() -> None:
    stats = Stats()
    clock, latest = FakeClock(), LatestFrame(SIZE)
    latest.show(OutputFrame(flat((9, 9, 9)), "driving", captured_s=clock.now() - 0.08, drawn_s=clock.now()))
    loop = SinkLoop(latest, [], 30, clock=clock, stats=stats)
    loop.tick()
    loop.tick()  # a repetition is not counted again
    assert stats.percentiles_ms("latency") == (80.0, 80.0)


@pytest.mark.parametrize(
    "fault", ["none", "no face", "tracker", "regressor", "animator", "camera", "tracker never opens", "swap"]
)
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
    rig.offer(fake_avatar())
    rig.advance(10)
    if fault == "regressor":
        rig.regressor.fail = RuntimeError("x")
    if fault == "animator":
        rig.animator.fail = RuntimeError("x")
    if fault == "swap":
        rig.offer(fake_avatar("blue", (40, 40, 200)))
    rig.advance(150)
    assert len(rig.sink.sent) == 162
    for picture in {id(sent): sent for sent in rig.sink.sent}.values():
        marked = (np.abs(picture.astype(int) - MARKER) < 60).all(2)
        assert not marked.any()
    assert str(MARKER) not in rig.said.text


def test_motion_has_no_place_for_a_picture() -> None:
    """The structure behind the promise: all that crosses is coefficients, words, times and a number."""
    rig = Rig(repeat(True))
    rig.offer(fake_avatar())
    frame = Frame(flat(MARKER), 1.0)
    motion = rig.driving.step(rig.tracking.observe(frame), "camera")
    assert motion is not None
    assert {name: type(value) for name, value in vars(motion).items()} == {
        "z": Coefficients, "state": str, "time_s": float, "captured_s": float, "source": str, "avatar_id": int,
    }  # fmt: skip
    arrays = [value for value in vars(motion.z).values() if isinstance(value, np.ndarray)]
    assert sum(array.size for array in arrays) == 261
    assert not any(np.shares_memory(array, frame.image) for array in arrays)


def test_a_new_calibration_waits_for_a_face() -> None:
    rig = Rig(repeat(True), [FakeTracker(iter([fake_face(), None, None, fake_face(), fake_face()]))])
    rig.offer(fake_avatar())
    rig.advance()
    rig.tracking.recalibrate()
    rig.driving.recalibrate()
    rig.advance(2)
    assert (rig.regressor.met, rig.said) == (1, [])
    rig.advance(2)
    assert (rig.regressor.met, rig.said) == (2, ["Calibrated: the face of this moment is the one at rest."])
