"""A session from its start to its end, with fake parts and real threads. Real time, but only fractions of a second of it."""

from __future__ import annotations

import inspect
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine.errors import AssetError, ConfigError, HifiHeadError, InputError
from engine.recording import MOTION, RecordingWriter
from engine.values import EXPRESSION_NAMES
from engine.video import Frame
from tests.fakes import MARKER, FakeAnimator, FakeBuilder, FakeSink, FakeSource, FakeTracker, Said, fake_prepare, flat
from vcam.avatars.avatar import Avatar
from vcam.clock import SystemClock
from vcam.config import Settings
from vcam.messages import Messages
from vcam.pipeline.governor import LEVELS, Governor, Level
from vcam.pipeline.presence import AWAY_S
from vcam.session import AppliedSettings, Session
from vcam.snapshot import Snapshot
from vcam.watch import FileWatch

SIZE = (160, 128)
RED, BLUE = (200, 30, 30), (30, 30, 200)


class MarkerCamera:
    """A camera at 100 pictures a second."""

    def __init__(self) -> None:
        self.asked, self.resting, self.closed = 0, False, False

    def start(self) -> None:
        pass

    def take(self, timeout_s: float) -> Frame | None:
        self.asked += 1
        time.sleep(0.01)
        return None if self.resting else Frame(flat(MARKER), time.monotonic())

    def rest(self) -> None:
        self.resting = True

    def wake(self) -> None:
        self.resting = False

    def close(self) -> None:
        self.closed = True


class SlowCamera(MarkerCamera):
    """Every second time that it is asked it has nothing yet, as a webcam of 25 pictures a second."""

    def take(self, timeout_s: float) -> Frame | None:
        frame = super().take(timeout_s)
        return None if self.asked % 2 else frame


class LoweredGovernor(Governor):
    """Of a machine that is always busy."""

    @property
    def level(self) -> Level:
        return LEVELS[1]


class SinkBuilder(FakeBuilder):
    """A session with one sink, which keeps what it is sent."""

    def __init__(self, *, sink: FakeSink | None = None, **options: Any) -> None:
        self.said = Said()
        clock = SystemClock()
        output = {"sink": "preview", "width_px": SIZE[0], "height_px": SIZE[1], "fps": 60}
        options.setdefault("settings", Settings.model_validate({"output": output}))
        options.setdefault("camera", MarkerCamera())
        super().__init__(clock=clock, messages=Messages(self.said, clock), **options)
        self.sink = sink or FakeSink()

    def open_sink(self, session: Session, name: str, argument: str = "", *, required: bool = True) -> Any:
        return self._kept(self.sink)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of photographs that ``fake_prepare`` knows."""
    for name in ("red", "blue", "noface"):
        cv2.imwrite(str(tmp_path / f"{name}.jpg"), flat((0, 0, 0)))
    return tmp_path


@contextmanager
def running(builder: SinkBuilder, photo: Path, *, frames: int | None = None) -> Iterator[Session]:
    """A session whose sinks' clock runs on a thread; what ``run`` raises is raised at the end."""
    ended, problems = threading.Event(), list[BaseException]()
    with Session(builder, photo) as session:
        session.start()

        def run() -> None:
            try:
                session.run(ended, frames=frames)
            except BaseException as error:  # noqa: BLE001 — raised below
                problems.append(error)

        thread = threading.Thread(target=run, name="clock")
        thread.start()
        try:
            yield session
        finally:
            ended.set()
            thread.join()
    if problems:
        raise problems[0]


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s and not condition():
        time.sleep(0.005)
    return condition()


def centre(builder: SinkBuilder) -> tuple[int, ...]:
    sent = builder.sink.sent
    return tuple(sent[-1][64, 80].tolist()) if sent else ()


def pipeline_threads() -> list[str]:
    names = {"motion", "render", "notifier", "web", "settings"}
    return [thread.name for thread in threading.enumerate() if thread.name in names]


def test_it_starts_changes_the_avatar_and_ends(photos: Path) -> None:
    builder = SinkBuilder()
    with running(builder, photos / "red.jpg") as session:
        assert wait_for(lambda: centre(builder) == RED)
        session.set_avatar(photos / "blue.jpg")
        assert wait_for(lambda: centre(builder) == BLUE)
        with pytest.raises(InputError, match=r"noface\.jpg shows no face"):
            session.set_avatar(photos / "noface.jpg")
        with pytest.raises(InputError, match=r"gone\.jpg does not exist"):
            session.set_avatar(photos / "gone.jpg")
        progress = [sentence for sentence in builder.said if sentence.startswith(("Preparing", "The avatar is blue"))]
        assert progress == ["Preparing blue.jpg.", "The avatar is blue.jpg.", "Preparing noface.jpg."]
        assert session.snapshot().avatar == "blue.jpg"
        time.sleep(0.05)
        assert centre(builder) == BLUE
    assert pipeline_threads() == []
    assert builder.camera.closed
    assert all(resource.closed for resource in builder.opened)
    assert session.snapshot().state == "ended"


def test_the_first_picture_leaves_before_anything_heavy_is_opened(photos: Path) -> None:
    builder, at_opening = SinkBuilder(), list[int]()
    prepare = fake_prepare(SIZE)
    builder.prepare = lambda path: (at_opening.append(len(builder.sink.sent)), prepare(path))[1]
    with running(builder, photos / "red.jpg", frames=3) as session:
        assert wait_for(lambda: session.sent >= 3)
    assert at_opening[0] >= 1


def test_it_ends_when_a_command_says_so(photos: Path) -> None:
    ended = threading.Event()
    with Session(SinkBuilder(), photos / "red.jpg") as session:
        session.start()
        session.run(ended, check=lambda: session.end() if session.drawn else None)
    assert ended.is_set()


def test_a_portrait_that_cannot_be_used_ends_it_with_the_reason(photos: Path) -> None:
    builder = SinkBuilder()
    with pytest.raises(InputError, match="shows no face"), running(builder, photos / "noface.jpg") as session:
        assert wait_for(lambda: session._pipeline is not None and session._pipeline.failure is not None)
    assert all(resource.closed for resource in builder.opened)


def test_what_fails_half_way_through_the_start_is_closed(photos: Path) -> None:
    class Refusing(SinkBuilder):
        def open_source(self) -> Any:
            raise InputError("There is no such video.")

    builder = Refusing()
    with pytest.raises(InputError, match="no such video"), running(builder, photos / "red.jpg"):
        pass
    assert builder.sink.closed
    assert pipeline_threads() == []


def test_a_source_that_cannot_be_started_is_closed(photos: Path) -> None:
    class Unstartable(MarkerCamera):
        def start(self) -> None:
            raise InputError("The camera does not start.")

    builder = SinkBuilder(camera=Unstartable())
    with pytest.raises(InputError, match="does not start"), running(builder, photos / "red.jpg"):
        pass
    assert builder.camera.closed
    assert pipeline_threads() == []


def test_a_regressor_that_cannot_be_opened_ends_it(photos: Path) -> None:
    class Refusing(SinkBuilder):
        def open_regressor(self, *, strict: bool = False) -> Any:
            raise AssetError("The regressor is damaged.")

    builder = Refusing()
    with pytest.raises(AssetError, match="damaged"), running(builder, photos / "red.jpg") as session:
        assert wait_for(lambda: session._pipeline is not None and session._pipeline.failure is not None)
    assert all(resource.closed for resource in builder.opened)


def test_a_defect_at_the_start_becomes_a_sentence(photos: Path) -> None:
    def prepare(_path: Path) -> Avatar:
        raise ZeroDivisionError("oops")

    builder = SinkBuilder()
    builder.prepare = prepare
    with pytest.raises(HifiHeadError, match="ZeroDivisionError"), running(builder, photos / "red.jpg") as session:
        assert wait_for(lambda: session._pipeline is not None and session._pipeline.failure is not None)


def test_a_thread_that_fails_later_goes_on(photos: Path) -> None:
    class FlakyCamera(MarkerCamera):
        def take(self, timeout_s: float) -> Frame | None:
            frame = super().take(timeout_s)
            if self.asked == 100:
                raise OSError("usb")
            return frame

    builder = SinkBuilder(camera=FlakyCamera())
    with running(builder, photos / "red.jpg"):
        assert wait_for(lambda: builder.camera.asked > 110)
    assert "The program failed unexpectedly (OSError: usb). The camera goes on." in builder.said


def test_with_less_work_every_second_frame_is_tracked_however_slowly_they_come(photos: Path) -> None:
    tracker, camera = FakeTracker(), SlowCamera()
    builder = SinkBuilder(camera=camera)
    builder.tracker = lambda: tracker
    builder.governor = LoweredGovernor(builder.clock, builder.said)
    with running(builder, photos / "red.jpg"):
        assert wait_for(lambda: tracker.tracked > 0)
        tracked, asked = tracker.tracked, camera.asked
        assert wait_for(lambda: camera.asked >= asked + 80)
        assert abs((tracker.tracked - tracked) - (camera.asked - asked) / 4) <= 2


def test_a_command_while_starting_waits_for_the_first_avatar(photos: Path) -> None:
    release = threading.Event()

    def prepare(path: Path) -> Avatar:
        release.wait(5)
        return fake_prepare(SIZE)(path)

    builder = SinkBuilder()
    builder.prepare = prepare
    with running(builder, photos / "red.jpg") as session:
        thread = threading.Thread(target=session.set_avatar, args=(photos / "blue.jpg",))
        thread.start()
        release.set()
        assert wait_for(lambda: centre(builder) == BLUE)
        thread.join()


def test_a_command_after_the_end_says_so(photos: Path) -> None:
    with running(SinkBuilder(), photos / "red.jpg") as session:
        pass
    with pytest.raises(HifiHeadError, match="ending"):
        session.set_avatar(photos / "blue.jpg")
    unstarted = Session(SinkBuilder(), photos / "red.jpg")
    for command in (unstarted.recalibrate, unstarted.pause, unstarted.resume):
        with pytest.raises(HifiHeadError, match="not been started"):
            command()


def test_nobody_watches_and_the_session_rests_until_somebody_does(photos: Path) -> None:
    sink = FakeSink(viewers=0)
    builder = SinkBuilder(sink=sink)
    with running(builder, photos / "red.jpg") as session:
        assert wait_for(lambda: centre(builder) == RED)
        presence = session._presence
        assert presence is not None
        presence._watched_s = builder.clock.now() - AWAY_S  # as if it had been so for long
        assert wait_for(lambda: session.snapshot().state == "resting")
        assert builder.camera.resting
        assert "Nobody watches: the webcam is off, and the camera rests until somebody does." in builder.said
        assert not session.snapshot().watched
        still = session.drawn
        sink.viewers = 1
        assert wait_for(lambda: session.drawn > still)
        assert wait_for(lambda: session.snapshot().state == "driving")
        assert "Somebody watches: the webcam is on." in builder.said


def test_pausing_gives_the_webcam_back_and_keeps_the_picture(photos: Path) -> None:
    builder = SinkBuilder()
    with running(builder, photos / "red.jpg") as session:
        assert wait_for(lambda: centre(builder) == RED)
        session.pause()
        assert wait_for(lambda: session.snapshot().state == "paused")
        assert builder.camera.resting
        assert session.snapshot().paused
        assert centre(builder) == RED
        session.resume()
        session.resume()
        assert wait_for(lambda: session.snapshot().state == "driving")
        assert builder.said.count("Resumed.") == 1


def test_the_card_replaces_the_avatar_at_once_and_goes_again(photos: Path) -> None:
    builder = SinkBuilder()
    with running(builder, photos / "red.jpg") as session:
        assert wait_for(lambda: centre(builder) == RED)
        session.card(True)
        assert wait_for(lambda: session.snapshot().state == "card" and centre(builder) != RED)
        session.card(False)
        assert wait_for(lambda: centre(builder) == RED)


def test_a_new_calibration_reaches_the_driver(photos: Path) -> None:
    builder = SinkBuilder()
    with running(builder, photos / "red.jpg") as session:
        assert wait_for(lambda: session.snapshot().state == "driving")
        session.recalibrate()
        assert wait_for(lambda: "Calibrated: the face of this moment is the one at rest." in builder.said)


def test_without_a_face_nothing_is_calibrated(photos: Path) -> None:
    builder = SinkBuilder()
    builder.tracker = lambda: FakeTracker(iter(()))
    with running(builder, photos / "red.jpg") as session:
        assert wait_for(lambda: session.snapshot().state == "waiting")
        with pytest.raises(InputError, match="no face is seen"):
            session.recalibrate()


def test_a_recording_cannot_be_calibrated(photos: Path) -> None:
    builder = SinkBuilder()
    builder.camera = None
    with running(builder, photos / "red.jpg") as session:
        assert wait_for(lambda: session.snapshot().source == "recording")
        assert not session.snapshot().follows
        with pytest.raises(InputError, match="nobody to calibrate to: the recording moves the avatar"):
            session.recalibrate()


def test_settings_change_while_it_runs(photos: Path) -> None:
    builder = SinkBuilder()
    builder.config_path = photos / "config.toml"
    with running(builder, photos / "red.jpg") as session:
        assert wait_for(lambda: centre(builder) == RED)
        first_camera = builder.camera
        builder.camera = MarkerCamera()  # what the next opening of the source gets
        applied = session.update_settings(
            {
                "avatar": {"photo": "blue.jpg"},
                "camera": {"width_px": 320},
                "drive": {"yaw_gain": 2.0, "privacy_s": 5.0},
                "runtime": {"engine": "onnxruntime"},
                "output": {"fps": 20},
            }
        )
        assert applied == AppliedSettings(
            ("avatar.photo", "camera.width_px", "drive.privacy_s", "drive.yaw_gain", "runtime.engine"), ("output.fps",)
        )
        assert wait_for(lambda: centre(builder) == BLUE)
        assert first_camera.closed
        assert session.settings.drive.yaw_gain == 2.0
        assert session.settings.output.fps == 60  # at the next start
        animators = [resource for resource in builder.opened if isinstance(resource, FakeAnimator)]
        assert [animator.closed for animator in animators] == [True, False]
        session.update_settings({"tracking": {"regressor": "landmarks"}, "output": {"always_on": True}})
        assert wait_for(lambda: session.snapshot().state == "driving")
    assert all(resource.closed for resource in builder.opened)
    assert builder.camera.closed


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"drive": {"yaw_gain": 9.0}}, ConfigError, "drive.yaw_gain must be a number from -3.0 to 3.0"),
        ({"drive": {"yaw_gian": 1.0}}, ConfigError, "did you mean drive.yaw_gain"),
        ({"drive": {"yaw_gain": 2.0}, "camera": {"source": "nothing.mp4"}}, InputError, "no camera or video 'nothing.mp4'"),
        ({"drive": {"yaw_gain": 2.0}, "avatar": {"photo": "noface.jpg"}}, InputError, "shows no face"),
        ({"camera": {"width_px": 320}, "runtime": {"bundle": "broken"}}, AssetError, "broken"),
    ],
)
def test_a_bad_change_is_refused_whole(photos: Path, changes: Any, kind: type[Exception], words: str) -> None:
    class Refusing(SinkBuilder):
        def open_animator(self, *, strict: bool = False) -> Any:
            if self.settings.runtime.bundle == "broken":
                raise AssetError("The generator in broken is not complete.")
            return super().open_animator(strict=strict)

    builder = Refusing()
    builder.config_path = photos / "config.toml"
    with running(builder, photos / "red.jpg") as session:
        assert wait_for(lambda: centre(builder) == RED)
        before, first = session.settings, builder.camera
        builder.camera = MarkerCamera()
        with pytest.raises(kind, match=words):
            session.update_settings(changes)
        assert session.settings == before
        assert not first.closed
        assert wait_for(lambda: session.snapshot().state == "driving")
        assert centre(builder) == RED
        if "camera" in changes and kind is AssetError:
            assert builder.camera.closed  # it had been opened for the change


def test_several_threads_command_and_listen_at_once(photos: Path) -> None:
    builder, heard, problems = SinkBuilder(), list[Snapshot](), list[Exception]()
    with running(builder, photos / "red.jpg") as session:
        unsubscribe = session.subscribe(heard.append)

        def command(number: int) -> None:
            try:
                for step in range(5):
                    session.update_settings({"drive": {"yaw_gain": (number + step) % 3 / 2}})
                    session.set_avatar(photos / ("red.jpg", "blue.jpg")[(number + step) % 2])
                    session.card(step % 2 == 0)
                    session.snapshot()
            except Exception as error:  # noqa: BLE001 — told below
                problems.append(error)

        threads = [threading.Thread(target=command, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        session.card(False)
        session.set_avatar(photos / "blue.jpg")
        assert wait_for(lambda: bool(heard) and heard[-1].avatar == "blue.jpg" and not heard[-1].card)
        unsubscribe()
        time.sleep(0.05)
        count = len(heard)
        session.card(True)
        time.sleep(0.1)
        assert len(heard) == count
    assert problems == []
    assert pipeline_threads() == []


def test_a_listener_that_raises_is_told_and_others_go_on_hearing(photos: Path) -> None:
    builder, heard = SinkBuilder(), list[Snapshot]()

    def broken(_snapshot: Snapshot) -> None:
        raise ValueError("panel")

    with running(builder, photos / "red.jpg") as session:
        session.subscribe(broken)
        session.subscribe(heard.append)
        assert wait_for(lambda: any(snapshot.state == "driving" for snapshot in heard))
    assert any("Telling about a change failed (ValueError)" in sentence for sentence in builder.said)


def test_nothing_of_the_camera_reaches_the_sink_of_the_threads(photos: Path) -> None:
    builder = SinkBuilder()
    with running(builder, photos / "red.jpg"):
        assert wait_for(lambda: centre(builder) == RED)
    for picture in {id(sent): sent for sent in builder.sink.sent}.values():
        assert not (np.abs(picture.astype(int) - MARKER) < 60).all(2).any()


def test_a_one_shot_is_played_over_the_driver_once(photos: Path) -> None:
    made, jaw = photos / "wink.z", EXPRESSION_NAMES.index("jawOpen")
    with RecordingWriter(made) as writer:
        for number in range(12):
            motion = np.zeros(MOTION)
            motion[jaw] = 1.0
            writer.write(number / 20, motion, relative=True)
    builder = SinkBuilder()
    builder.animator = FakeAnimator()
    with running(builder, photos / "red.jpg") as session:
        assert wait_for(lambda: session.snapshot().state == "driving")
        with pytest.raises(InputError, match="one-shot 1; there are 0"):
            session.play(1)
        session.update_settings({"streams": {"one_shots": [str(made)]}})
        session.play(1)
        assert wait_for(lambda: session.snapshot().source == "wink.z")
        assert wait_for(lambda: session.snapshot().source == "camera")
        assert list(session.snapshot().sources) == ["camera"]
        assert wait_for(lambda: builder.animator.drawn[-1].expression[jaw] < 0.01)
    assert max(z.expression[jaw] for z in builder.animator.drawn) > 0.9


def test_the_public_interface_of_a_session() -> None:
    """What panels and plug-ins may rely on; each is documented."""
    public = {name: member for name, member in vars(Session).items() if not name.startswith("_")}
    assert sorted(public) == [
        "builder", "card", "close", "controls", "drawn", "end", "finish_gaze", "look", "mute", "open_avatar", "own", "pause",
        "photo", "play", "recalibrate", "resume", "run", "sent", "set_avatar", "settings", "snapshot", "start", "subscribe",
        "switch_plugin", "update_settings",
    ]  # fmt: skip
    assert all(inspect.getdoc(member) for member in public.values())
    assert list(inspect.signature(Session.update_settings).parameters) == ["self", "changes", "name"]


class Updates:
    """A session that keeps what it is told; changes of ``refused`` are refused."""

    def __init__(self, folder: Path) -> None:
        self.changes: list[Any] = []
        self.photo = folder / "first.jpg"

    def set_avatar(self, photo: Path) -> None:
        self.photo = photo

    def update_settings(self, changes: Any, name: str = "") -> AppliedSettings:
        if changes.get("avatar", {}).get("photo") == "noface.jpg":
            raise InputError("noface.jpg shows no face.")
        self.changes.append(changes)
        return AppliedSettings((), ("output.fps",) if "output" in changes else ())


def test_the_settings_file_is_read_again_and_mistakes_change_nothing(tmp_path: Path) -> None:
    path, session, said = tmp_path / "config.toml", Updates(tmp_path), Said()
    path.write_text('[avatar]\nphoto = "red.jpg"\n')
    watch = FileWatch(path, Settings(), session, Messages(said, SystemClock()))
    watch.reload()
    watch.reload()
    assert (session.changes, said) == ([{"avatar": {"photo": "red.jpg"}}], [])
    for mistake in ["[avatar]\nphoto = 3\n", "[avatar\n", '[avatar]\nphoto = "noface.jpg"\n']:
        path.write_text(mistake)
        watch.reload()
    path.unlink()
    watch.reload()
    assert len(session.changes) == 1
    assert len(said) == 4
    assert all("last good settings" in sentence for sentence in said)
    assert "avatar.photo must be text in quotes, got 3" in said[0]
    path.write_text('[avatar]\nphoto = "blue.jpg"\n[output]\nfps = 15\n')
    watch.reload()
    assert session.changes[-1] == {"avatar": {"photo": "blue.jpg"}, "output": {"fps": 15}}
    assert said[-1] == "Changes of output.fps take effect at the next start."


def test_a_changed_file_is_noticed_also_when_the_editor_replaces_it(tmp_path: Path) -> None:
    path, session = tmp_path / "config.toml", Updates(tmp_path)
    path.write_text("")
    stop = threading.Event()
    watch = FileWatch(path, Settings(), session, Messages(Said(), SystemClock()))
    thread = threading.Thread(target=watch.run, args=(stop,))
    thread.start()

    def heard(photo: str) -> bool:
        return session.changes[-1:] == [{"avatar": {"photo": photo}}]

    try:
        path.write_text('[avatar]\nphoto = "red.jpg"\n')
        assert wait_for(lambda: heard("red.jpg"))
        replacement = tmp_path / "config.toml.new"
        replacement.write_text('[avatar]\nphoto = "blue.jpg"\n')
        replacement.replace(path)
        assert wait_for(lambda: heard("blue.jpg"))
    finally:
        stop.set()
        thread.join(5)
    assert not thread.is_alive()


def test_a_folder_of_photographs_can_be_the_avatar(photos: Path) -> None:
    folder = photos / "blue"
    folder.mkdir()
    shutil.copy(photos / "blue.jpg", folder / "a.jpg")
    builder = SinkBuilder()
    with running(builder, photos / "red.jpg") as session:
        session.set_avatar(folder)
        assert session.photo == folder
        assert wait_for(lambda: centre(builder) == BLUE)
        (photos / "nothing").mkdir()
        with pytest.raises(InputError, match="has no pictures"):
            session.set_avatar(photos / "nothing")


def test_a_refined_avatar_takes_its_place_while_it_runs(photos: Path) -> None:
    builder, prepare, go_on = SinkBuilder(), fake_prepare(SIZE), threading.Event()

    def refine() -> FakeSource:
        go_on.wait(20)
        return FakeSource(BLUE)

    builder.prepare = lambda path: replace(prepare(path), refine=refine)
    with running(builder, photos / "red.jpg"):
        assert wait_for(lambda: centre(builder) == RED)  # it is shown at once
        before = len(builder.sink.sent)
        go_on.set()
        assert wait_for(lambda: centre(builder) == BLUE)
        seen = {tuple(picture[64, 80].tolist()) for picture in builder.sink.sent[before:]}
        assert seen <= {RED, BLUE}  # without a cross-fade


def test_an_avatar_that_cannot_be_refined_stays_as_it_is(photos: Path) -> None:
    def refine() -> FakeSource:
        raise RuntimeError("no")

    builder, prepare = SinkBuilder(), fake_prepare(SIZE)
    builder.prepare = lambda path: replace(prepare(path), refine=refine)
    with running(builder, photos / "red.jpg"):
        assert wait_for(lambda: "Making the avatar better" in builder.said.text)
        assert wait_for(lambda: centre(builder) == RED)
