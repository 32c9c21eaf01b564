"""The threads: start, swap, failures at the start and an orderly end. Real time, but only fractions of a second of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from engine.errors import InputError
from engine.video import Frame
from tests.fakes import MARKER, FakeAnimator, FakeDriver, FakeTracker, Said, fake_prepare, flat
from vcam.capture.choice import NoCamera
from vcam.clock import SystemClock
from vcam.config import Settings
from vcam.governor import LEVELS, Governor, Level
from vcam.live import Live
from vcam.messages import Messages
from vcam.performer import Performer
from vcam.portrayer import Portrayer
from vcam.screen import Screen
from vcam.stats import Stats
from vcam.watch import ConfigWatch, changed_keys

SIZE = (160, 128)


class MarkerCamera:
    """A camera at 100 pictures a second."""

    def take(self, timeout_s: float) -> Frame | None:
        time.sleep(0.01)
        return Frame(flat(MARKER), time.monotonic())

    def rest(self) -> None:
        pass

    def wake(self) -> None:
        pass

    def close(self) -> None:
        pass


class SlowCamera(MarkerCamera):
    """Every second time that it is asked it has nothing yet, as a webcam of 25 pictures a second."""

    asked = 0

    def take(self, timeout_s: float) -> Frame | None:
        self.asked += 1
        frame = super().take(timeout_s)
        return None if self.asked % 2 else frame


class LoweredGovernor(Governor):
    """Of a machine that is always busy."""

    @property
    def level(self) -> Level:
        return LEVELS[1]


def make_live(
    photo: str,
    said: Said,
    camera: object | None = None,
    prepare: Callable[[Path], object] | None = None,
    *,
    tracker: FakeTracker | None = None,
    govern: type[Governor] = Governor,
) -> Live:
    clock = SystemClock()
    messages = Messages(said, clock)
    common = {"clock": clock, "messages": messages, "stats": Stats()}
    animator = FakeAnimator()
    performer = Performer(lambda: tracker or FakeTracker(), FakeDriver, **common)  # type: ignore[arg-type]
    return Live(
        Path(photo),
        camera or MarkerCamera(),  # type: ignore[arg-type]
        performer,
        lambda: (animator, prepare or fake_prepare(SIZE)),  # type: ignore[arg-type,return-value]
        lambda opened: Portrayer(opened, SIZE, **common),  # type: ignore[arg-type]
        screen=Screen(SIZE),
        clock=clock,
        messages=messages,
        governor=govern(clock, said),
    ).start()


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s and not condition():
        time.sleep(0.005)
    return condition()


def centre(live: Live) -> tuple[int, ...]:
    picture = live.screen.current(time.monotonic()).picture
    return tuple(picture[64, 80].tolist())


def test_it_starts_swaps_and_ends() -> None:
    said = Said()
    live = make_live("red.jpg", said)
    try:
        assert wait_for(lambda: centre(live) == (200, 30, 30))
        live.swap(Path("blue.jpg"))
        assert wait_for(lambda: centre(live) == (30, 30, 200), 2.0)
        live.swap(Path("noface.jpg"))
        assert wait_for(lambda: "noface.jpg shows no face." in said)
        time.sleep(0.05)
        assert centre(live) == (30, 30, 200)
        assert live.failure is None
    finally:
        live.close()
    assert not [thread for thread in threading.enumerate() if thread.name in ("tracking", "avatar", "photos")]


def test_a_portrait_that_cannot_be_used_is_the_failure() -> None:
    live = make_live("noface.jpg", Said())
    try:
        assert wait_for(lambda: live.failure is not None)
        assert isinstance(live.failure, InputError)
        assert live.screen.current(time.monotonic()).state == "starting"
    finally:
        live.close()


def test_a_defect_at_the_start_becomes_a_sentence() -> None:
    def prepare(_path: Path) -> object:
        raise ZeroDivisionError("oops")

    live = make_live("red.jpg", Said(), prepare=prepare)
    try:
        assert wait_for(lambda: live.failure is not None)
        assert "ZeroDivisionError" in str(live.failure)
    finally:
        live.close()


def test_a_thread_that_fails_later_goes_on() -> None:
    class FlakyCamera(MarkerCamera):
        taken = 0

        def take(self, timeout_s: float) -> Frame | None:
            self.taken += 1
            if self.taken == 100:
                raise OSError("usb")
            return super().take(timeout_s)

    said, camera = Said(), FlakyCamera()
    live = make_live("red.jpg", said, camera)
    try:
        assert wait_for(lambda: camera.taken > 110)
        assert live.failure is None
        assert said == ["The program failed unexpectedly (OSError: usb). It goes on."]
    finally:
        live.close()


def test_with_less_work_every_second_frame_is_tracked_however_slowly_they_come() -> None:
    tracker, camera = FakeTracker(), SlowCamera()
    live = make_live("red.jpg", Said(), camera, tracker=tracker, govern=LoweredGovernor)
    try:
        assert wait_for(lambda: tracker.tracked > 0)
        tracked, asked = tracker.tracked, camera.asked
        assert wait_for(lambda: camera.asked >= asked + 80)
        assert abs((tracker.tracked - tracked) - (camera.asked - asked) / 4) <= 2
    finally:
        live.close()


def test_a_swap_while_starting_is_kept_for_later() -> None:
    release = threading.Event()

    def prepare(path: Path) -> object:
        release.wait(5)
        return fake_prepare(SIZE)(path)

    live = make_live("red.jpg", Said(), prepare=prepare)
    try:
        live.swap(Path("blue.jpg"))
        release.set()
        assert wait_for(lambda: centre(live) == (30, 30, 200))
    finally:
        live.close()


def test_without_a_camera_time_passes_and_nothing_comes() -> None:
    camera = NoCamera()
    begin = time.monotonic()
    assert camera.take(0.02) is None
    assert time.monotonic() - begin >= 0.015
    camera.close()
    assert camera.take(60) is None


def test_the_settings_file_is_read_again_and_only_the_photo_takes_effect(tmp_path: Path) -> None:
    path, photos, said = tmp_path / "config.toml", [], Said()
    path.write_text('[avatar]\nphoto = "red.jpg"\n')
    watch = ConfigWatch(path, Settings(), photos.append, Messages(said, SystemClock()))
    watch.reload()
    watch.reload()
    assert (photos, said) == (["red.jpg"], [])
    path.write_text("[avatar]\nphoto = 3\n")
    watch.reload()
    path.write_text("[avatar\n")
    watch.reload()
    path.unlink()
    watch.reload()
    assert photos == ["red.jpg"]
    assert len(said) == 3
    assert all("last good settings" in sentence for sentence in said)
    assert "avatar.photo must be text in quotes, got 3" in said[0]
    path.write_text('[avatar]\nphoto = "blue.jpg"\n[camera]\nfps = 15\n')
    watch.reload()
    assert photos == ["red.jpg", "blue.jpg"]
    assert said[-1] == "Changes of camera.fps take effect at the next start."
    assert changed_keys(Settings(), Settings()) == set()


def test_a_changed_file_is_noticed_also_when_the_editor_replaces_it(tmp_path: Path) -> None:
    path, photos = tmp_path / "config.toml", []
    path.write_text("")
    stop = threading.Event()
    watch = ConfigWatch(path, Settings(), photos.append, Messages(Said(), SystemClock()))
    thread = threading.Thread(target=watch.run, args=(stop,))
    thread.start()
    try:
        assert wait_for(lambda: edit_until(path, "red.jpg", photos))
        replacement = tmp_path / "config.toml.new"
        replacement.write_text('[avatar]\nphoto = "blue.jpg"\n')
        replacement.replace(path)
        assert wait_for(lambda: photos[-1:] == ["blue.jpg"])
    finally:
        stop.set()
        thread.join(5)
    assert not thread.is_alive()


def edit_until(path: Path, photo: str, photos: list[str]) -> bool:
    """Writes until the watcher, whose start takes a moment, has seen it."""
    if photo not in photos:
        path.write_text(f'[avatar]\nphoto = "{photo}"\n')
        time.sleep(0.1)
    return photo in photos


def test_nothing_of_the_camera_is_on_the_screen_of_the_threads() -> None:
    live = make_live("red.jpg", Said())
    try:
        assert wait_for(lambda: centre(live) == (200, 30, 30))
        picture = live.screen.current(time.monotonic()).picture
        assert not (np.abs(picture.astype(int) - MARKER) < 60).all(2).any()
    finally:
        live.close()
