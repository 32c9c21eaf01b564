"""The plug-in door: what hooks may do, and what becomes of a plug-in that does wrong. Faults are written into the plug-ins."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine.errors import ConfigError, InputError
from engine.values import JAW_OPEN, Coefficients
from tests.fakes import FakeClock, FakeSink, Said, fake_avatar, flat
from tests.vcam.test_session import RED, SinkBuilder, centre, running, wait_for
from vcam.avatars.avatar import Avatar
from vcam.avatars.cutout import Backdrop
from vcam.config import Settings
from vcam.messages import Messages
from vcam.motion import MotionFrame
from vcam.plugins import active
from vcam.plugins.host import PluginHost
from vcam.plugins.interface import SOUND_BLOCK, Background, PluginContext, PluginSettings
from vcam.plugins.microphone import BlockCutter, Microphone
from vcam.plugins.registry import FoundPlugin
from vcam.plugins.report import read_states, report_states
from vcam.plugins.testing import PluginRun
from vcam.snapshot import PluginState
from vcam.stats import Stats

BLACK = flat((0, 0, 0), 160, 128)


class Reddens:
    """Sets the red of each picture."""

    class Settings(PluginSettings):
        red: int = 255

    def start(self, context: PluginContext[Any]) -> None:
        self.red = context.settings.red

    def on_frame(self, picture: Any, time: float) -> Any:
        changed = picture.copy()
        changed[..., 0] = self.red
        return changed


class AddsGreen:
    """Adds its share, after the others."""

    order = 60

    def on_frame(self, picture: Any, time: float) -> Any:
        changed = picture.copy()
        changed[..., 1] = picture[..., 0] // 2
        return changed


class Blocks:
    """Comes back when it is let go."""

    released = threading.Event()

    def on_frame(self, picture: Any, time: float) -> Any:
        Blocks.released.wait()
        return picture * 0 + 9


class Loops:
    """Never comes back."""

    def on_frame(self, picture: Any, time: float) -> None:
        while True:
            pass


class Keeps:
    """Keeps a corner of every picture."""

    def __init__(self) -> None:
        self.kept: list[Any] = []

    def on_frame(self, picture: Any, time: float) -> None:
        self.kept.append(picture[:2, :2])


class Slow:
    """States less than it takes."""

    budget_ms = 0.01

    def on_motion(self, motion: Any, time_s: float) -> None:
        time.sleep(0.001)


class Writes:
    """Writes into what it was lent."""

    def on_frame(self, picture: Any, time: float) -> None:
        picture[0] = 1


class Exits:
    def on_frame(self, picture: Any, time: float) -> None:
        raise SystemExit(3)


class Misshapes:
    def on_frame(self, picture: Any, time: float) -> Any:
        return picture[:4]


class Needs:
    install = "pip install 'hifihead-cam[nothing]'"

    def start(self, context: Any) -> None:
        import no_such_package_at_all  # noqa: F401


class Paints:
    """Puts a shade behind the person; "moving" asks for the next one after a second."""

    class Settings(PluginSettings):
        shade: int = 7
        moving: bool = False

    def start(self, context: PluginContext[Any]) -> None:
        self.settings, self.asked = context.settings, 0

    def on_background(self, own: Any, time: float) -> Background:
        self.asked += 1
        shade = self.settings.shade + (self.asked - 1 if self.settings.moving else 0)
        return Background(own * 0 + np.uint8(shade), for_s=1.0 if self.settings.moving else None)


class Tears:
    def on_background(self, own: Any, time: float) -> Background:
        return Background(own[:5])


class Hears:
    def __init__(self) -> None:
        self.heard: list[float] = []
        self.threads: set[str] = set()

    def on_audio(self, block: Any, time: float) -> None:
        self.heard.append(float(block[0]))
        self.threads.add(threading.current_thread().name)


class Takes:
    """Keeps the middle of what is sent; with ``deaf`` it does without sound."""

    class Settings(PluginSettings):
        deaf: bool = True

    def start(self, context: PluginContext[Any]) -> None:
        self.taken: list[tuple[int, ...]] = []
        if context.settings.deaf:
            self.on_audio = None  # type: ignore[assignment,method-assign]

    def on_sent(self, picture: Any, time: float) -> None:
        self.taken.append(tuple(picture[64, 80].tolist()))
        if not picture.any():
            raise ValueError("nothing to see")

    def on_audio(self, block: Any, time: float) -> None:
        pass


KINDS = (Reddens, AddsGreen, Blocks, Loops, Keeps, Slow, Writes, Exits, Misshapes, Needs, Paints, Tears, Hears, Takes)
PLUGINS: dict[str, type[Any]] = {kind.__name__.lower(): kind for kind in KINDS}
BLUE = """
class Blue:
    def on_frame(self, picture, time):
        changed = picture.copy()
        changed[..., 2] = 250
        return changed
"""
TAKES = """
class Takes:
    def start(self, context):
        self.say = context.say
    def on_sent(self, picture, time):
        self.say(f"taken {tuple(picture[64, 80].tolist())}")
"""
ON = {"enabled": True}


class Rig:
    """A host with the plug-ins above, a scripted clock, and a microphone that is asked for."""

    def __init__(self) -> None:
        self.clock, self.said, self.stats = FakeClock(), Said(), Stats()
        self.listener: Callable[..., None] | None = None
        found = {name: [FoundPlugin(name, "here", lambda kind=kind: kind)] for name, kind in PLUGINS.items()}  # type: ignore[misc]

        def hear(listener: Callable[..., None] | None) -> None:
            self.listener = listener

        self.host = PluginHost(
            "",
            None,
            size=(160, 128),
            fps=30,
            clock=self.clock,
            messages=Messages(self.said, self.clock),
            stats=self.stats,
            controls=PluginRun(Writes)._controls(),
            find=lambda *_: found,
            hear=hear,
        )

    def switch(self, **sections: dict[str, Any]) -> None:
        self.host.use(self.host.prepare(sections))


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """Pictures wait for the plug-ins, however busy the machine is."""
    monkeypatch.setattr(active, "PATIENCE_S", 20.0)
    rig = Rig()
    Blocks.released.clear()
    yield rig
    Blocks.released.set()
    rig.host.close()
    assert wait_for(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("plugin ")])


def motion() -> MotionFrame:
    return MotionFrame(Coefficients.neutral(), "driving", 1.0, None, "test", 7)


def test_pictures_pass_through_the_plugins_in_their_order(rig: Rig) -> None:
    rig.switch(addsgreen=ON, reddens={"enabled": True, "red": 200})
    assert rig.host.on_frame(BLACK)[5, 5].tolist() == [200, 100, 0]
    assert not BLACK.any()
    assert [state.name for state in rig.host.states()] == ["reddens", "addsgreen"]
    assert all(state.ms is not None for state in rig.host.states())


def test_with_none_on_nothing_is_asked(rig: Rig) -> None:
    rig.switch(reddens={"enabled": False})
    assert not rig.host.drawing
    assert rig.host.states() == ()


def test_settings_change_and_plugins_are_switched_off_while_it_runs(rig: Rig) -> None:
    rig.switch(reddens={"enabled": True, "red": 10})
    rig.switch(reddens={"enabled": True, "red": 20})
    assert rig.host.on_frame(BLACK)[0, 0, 0] == 20
    rig.switch(reddens={"enabled": False, "red": 20})
    assert rig.host.on_frame(BLACK) is BLACK
    assert rig.said == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("writes", ["'writes' failed in on_frame", "read-only"]),
        ("exits", ["'exits' failed in on_frame (SystemExit: 3)"]),
        ("misshapes", ["'misshapes': on_frame must return uint8 (128, 160, 3) or None, got uint8 (4, 160, 3)"]),
        ("needs", ["needs the package 'no_such_package_at_all'", "Type: pip install 'hifihead-cam[nothing]'"]),
    ],
)
def test_one_that_fails_is_switched_off_with_a_sentence_and_the_others_go_on(rig: Rig, name: str, words: list[str]) -> None:
    rig.switch(**{name: ON, "reddens": ON})
    for _ in range(3):
        assert rig.host.on_frame(BLACK)[0, 0].tolist() == [255, 0, 0]
    (said,) = rig.said
    for word in (*words, "switched off; the camera goes on"):
        assert word in said
    (state,) = [state for state in rig.host.states() if state.name == name]
    assert state.state == "off"
    assert state.reason in said


@pytest.fixture
def impatient(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures hardly wait."""
    monkeypatch.setattr(active, "PATIENCE_S", 0.0)


@pytest.mark.usefixtures("impatient")
def test_a_picture_goes_without_one_that_does_not_come_back_in_time(rig: Rig) -> None:
    rig.switch(blocks=ON, addsgreen=ON)
    assert not rig.host.on_frame(BLACK).any()
    assert not rig.host.on_frame(BLACK).any()
    Blocks.released.set()
    assert wait_for(lambda: rig.host.on_frame(BLACK)[0, 0].tolist() == [9, 4, 9])
    assert rig.said == []


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", ["blocks", "loops"])
def test_one_that_never_comes_back_is_given_up(rig: Rig, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reddens, "budget_ms", 10_000.0, raising=False)  # waited for, and so never late itself
    rig.switch(**{name: ON, "reddens": ON})
    rig.host.on_frame(BLACK)
    rig.clock.pass_time(active.STUCK_S + 0.1)
    assert wait_for(lambda: rig.host.on_frame(BLACK)[0, 0].tolist() == [255, 0, 0])
    assert f"'{name}' did not come back from on_frame within 2 s" in rig.said.text
    if name == "loops":  # a loop in Python is even ended
        assert wait_for(lambda: f"plugin {name}" not in [thread.name for thread in threading.enumerate()])


def test_one_is_not_blamed_for_the_time_that_another_takes(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.switch(blocks=ON, slow=ON)
    with monkeypatch.context() as hurried:
        hurried.setattr(active, "PATIENCE_S", 0.0)
        rig.host.on_frame(BLACK)  # the one that blocks is late
    for _ in range(2 * active.JUDGED):
        rig.host.on_motion(motion())
    assert rig.said == []
    Blocks.released.set()
    assert wait_for(lambda: bool(rig.host.on_frame(BLACK).any()))
    for _ in range(2 * active.JUDGED):
        rig.host.on_motion(motion())
    assert "'slow' takes" in rig.said.text


def test_one_that_keeps_pictures_is_switched_off(rig: Rig) -> None:
    rig.switch(keeps=ON)
    for _ in range(2 * active.KEPT_PICTURES):
        rig.host.on_frame(flat((0, 0, 0), 160, 128))
    assert "'keeps' keeps 65 pictures" in rig.said.text


def test_one_that_fills_the_memory_is_switched_off(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    growing = iter(range(10**6))
    monkeypatch.setattr(active.ActivePlugin.__init__, "__kwdefaults__", {"memory_mb": lambda: 100.0 * next(growing)})
    rig.switch(reddens=ON)
    for _ in range(6):
        rig.host.on_frame(BLACK)
    assert "'reddens' uses ever more memory: 600 MB" in rig.said.text


def test_one_that_takes_longer_than_it_states_is_switched_off(rig: Rig) -> None:
    rig.switch(slow=ON)
    for _ in range(active.JUDGED - 1):
        assert rig.host.on_motion(motion()).avatar_id == 7
    assert rig.said == []
    rig.host.on_motion(motion())
    assert "ms in on_motion, more than the 0.01 ms it states" in rig.said.text


def test_of_motion_only_expression_pose_and_gaze_are_taken_within_their_ranges() -> None:
    class Moves:
        def on_motion(self, motion: MotionFrame, time: float) -> MotionFrame:
            z = motion.z
            z.expression[JAW_OPEN] = 40
            z.gaze[:] = -40
            z.identity[:] = 3
            return replace(motion, state="privacy", avatar_id=99)

    class Breaks:
        def on_motion(self, motion: MotionFrame, time: float) -> MotionFrame:
            motion.z.pose[0] = np.nan
            return motion

    with PluginRun(Moves) as run:
        z = run.motion()
    assert z.expression[JAW_OPEN] == np.float32(1.1)
    assert np.allclose(z.gaze, -0.6)
    assert not z.identity.any()
    with PluginRun(Breaks) as run, pytest.raises(InputError, match="pose as"):
        run.motion()


def test_sound_is_heard_on_another_thread_and_the_microphone_is_open_only_then(rig: Rig) -> None:
    rig.switch(hears=ON)
    listener = rig.listener
    assert listener is not None
    for number in range(5):
        listener(np.full(SOUND_BLOCK, number, np.float32), 0.0)
    heard: Hears = rig.host.hearing[0]._instance
    assert wait_for(lambda: heard.heard == [0, 1, 2, 3, 4])
    assert heard.threads == {"plugin hears sound"}
    rig.host.muted = True
    listener(np.full(SOUND_BLOCK, 5, np.float32), 0.0)
    rig.host.muted = False
    listener(np.full(SOUND_BLOCK, 6, np.float32), 0.0)
    assert wait_for(lambda: heard.heard == [0, 1, 2, 3, 4, 0, 6])
    rig.switch(hears={"enabled": False})
    assert rig.listener is None


def test_a_hook_that_start_sets_to_none_is_not_asked(rig: Rig) -> None:
    rig.switch(takes=ON)
    assert rig.listener is None
    rig.switch(takes={"enabled": True, "deaf": False})
    assert rig.listener is not None


def test_what_is_sent_is_handed_over_without_waiting(rig: Rig) -> None:
    rig.switch(takes=ON, blocks=ON)
    taken: Takes = rig.host.taking[0]._instance
    for shade in range(3):
        rig.host.on_sent(flat((9, 9, shade), 160, 128))
    assert wait_for(lambda: taken.taken == [(9, 9, 0), (9, 9, 1), (9, 9, 2)])
    rig.host.on_sent(BLACK)  # it fails
    assert wait_for(lambda: rig.host.on_sent(BLACK) is None and not rig.host.taking)
    assert "'takes' failed in on_sent (ValueError: nothing to see)" in rig.said.text
    assert rig.stats.percentiles_ms("plugin takes") is not None


def test_wrong_settings_are_refused_and_unknown_ones_left_out(rig: Rig) -> None:
    with pytest.raises(ConfigError, match=r"plugins\.reddens\.red must be a whole number, got 'much'"):
        rig.host.prepare({"reddens": {"enabled": True, "red": "much"}})
    with pytest.raises(ConfigError, match="no plug-in 'reddenz'; did you mean reddens"):
        rig.host.prepare({"reddenz": ON})
    rig.switch(reddens={"enabled": True, "rad": 7})
    assert "plugins.reddens.rad is not a setting; did you mean plugins.reddens.red? It is left out." in rig.said
    assert rig.host.on_frame(BLACK)[0, 0, 0] == 255


# behind the person


class FlatCutout:
    """Of an avatar whose own background is black; the composer is left out."""

    own = BLACK

    def before(self, background: Any, light_wrap: float) -> Backdrop:
        return Backdrop(int(background[0, 0, 0]), fake_avatar().composer)


def with_cutout() -> Avatar:
    return replace(fake_avatar(), cutout=FlatCutout, id=next(NUMBERS))  # type: ignore[arg-type]


NUMBERS = itertools.count(1000)


def test_a_background_is_asked_for_once_per_avatar(rig: Rig) -> None:
    rig.switch(paints=ON)
    for avatar in (with_cutout(), with_cutout()):
        for _ in range(3):
            backdrop = rig.host.backdrop(avatar)
            assert backdrop is not None
            assert backdrop.source == 7
            rig.clock.pass_time(5)
    assert rig.host.drawing[0]._instance.asked == 2
    assert rig.host.backdrop(fake_avatar()) is None  # one that cannot be cut out


def test_a_moving_background_is_asked_for_again_and_never_waited_for(rig: Rig) -> None:
    rig.switch(paints={"enabled": True, "moving": True})
    avatar = with_cutout()

    def shade() -> int:
        backdrop = rig.host.backdrop(avatar)
        assert backdrop is not None
        return int(backdrop.source)

    assert [shade(), shade()] == [7, 7]
    rig.clock.pass_time(1.5)
    assert shade() == 7
    assert wait_for(lambda: shade() == 8)


def test_with_other_settings_the_background_before_stays_until_the_next_is_there(rig: Rig) -> None:
    rig.switch(paints=ON)
    avatar, seen, ended = with_cutout(), list[object](), threading.Event()
    rig.host.backdrop(avatar)

    def draw() -> None:
        while not ended.is_set():
            backdrop = rig.host.backdrop(avatar)
            seen.append(backdrop and backdrop.source)

    thread = threading.Thread(target=draw)
    thread.start()
    rig.switch(paints={"enabled": True, "shade": 9})
    assert wait_for(lambda: seen[-1] == 9)
    ended.set()
    thread.join()
    assert set(seen) == {7, 9}


def test_of_one_whose_background_does_not_fit_the_portraits_own_is_shown(rig: Rig) -> None:
    rig.switch(tears=ON)
    assert rig.host.backdrop(with_cutout()) is None
    assert "'tears': on_background must return uint8 (128, 160, 3)" in rig.said.text
    assert rig.host.drawing == ()


# in a session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A settings file's folder with a portrait and plug-ins: blue.py, broken.py."""
    cv2.imwrite(str(tmp_path / "red.jpg"), flat((0, 0, 0)))
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "blue.py").write_text(BLUE, encoding="utf-8")
    (mine / "broken.py").write_text("class Broken\n", encoding="utf-8")
    return tmp_path


def settings(**sections: Any) -> Settings:
    output = {"sink": "preview", "width_px": 160, "height_px": 128, "fps": 60}
    return Settings.model_validate({"output": output, "plugins": {"folder": "mine", **sections}})


def test_a_session_shows_what_plugins_make_and_switches_them_live(folder: Path) -> None:
    wanted = settings(blue=ON, broken=ON)
    builder = SinkBuilder(settings=wanted, config_path=folder / "config.toml")
    with running(builder, folder / "red.jpg") as session:
        assert wait_for(lambda: centre(builder) == (200, 30, 250))
        assert wait_for(lambda: "'broken' is not valid Python" in builder.said.text)
        assert [(state.name, state.state) for state in session.snapshot().plugins] == [("broken", "off"), ("blue", "on")]
        assert wait_for(lambda: [state.name for state in read_states()] == ["broken", "blue"])
        session.card(True)
        assert wait_for(lambda: centre(builder)[2] != 250)  # never on the card
        session.card(False)
        session.update_settings({"plugins": {"blue": {"enabled": False}}})
        assert wait_for(lambda: centre(builder) == RED)
        session.controls.switch_plugin("blue", True)
        assert wait_for(lambda: centre(builder) == (200, 30, 250))
        session.controls.mute(True)
        assert session.snapshot().muted
        with pytest.raises(InputError, match="line 1"):
            session.update_settings({"plugins": {"broken": {**ON, "again": 1}}})
    assert read_states() == ()


def test_a_plugin_that_takes_what_is_sent_gets_the_card_too_and_keeps_the_camera_awake(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vcam.pipeline.presence.AWAY_S", 0.0)
    (folder / "mine" / "takes.py").write_text(TAKES, encoding="utf-8")
    builder = SinkBuilder(settings=settings(), config_path=folder / "config.toml", sink=FakeSink(viewers=0))
    with running(builder, folder / "red.jpg") as session:
        assert wait_for(lambda: session.snapshot().state == "resting")
        session.update_settings({"plugins": {"takes": ON}})
        assert wait_for(lambda: "taken (200, 30, 30)" in builder.said.text)
        assert session.snapshot().watched
        session.card(True)
        assert wait_for(lambda: "taken" in builder.said[-1] and "(200, 30, 30)" not in builder.said[-1])
        session.update_settings({"plugins": {"takes": {"enabled": False}}})
        assert wait_for(lambda: not session.snapshot().watched)


# the microphone


def test_blocks_are_ten_milliseconds_of_48_khz_whatever_the_device_has() -> None:
    for rate_hz, channels in ((16_000, 1), (44_100, 2), (48_000, 1), (96_000, 2)):
        cutter = BlockCutter(rate_hz)
        tone = np.sin(2 * np.pi * 440 * np.arange(rate_hz, dtype=np.float32) / rate_hz)
        arriving = np.repeat(tone[:, None], channels, 1).reshape(-1, rate_hz // 100, channels)
        cut = [item for number, block in enumerate(arriving) for item in cutter.cut(block, (number + 1) / 100)]
        blocks = [block for block, _ in cut]
        assert {block.shape for block in blocks} == {(SOUND_BLOCK,)}
        assert 97 <= len(blocks) <= 100
        spectrum = np.abs(np.fft.rfft(np.concatenate(blocks[20:70])))
        assert spectrum.argmax() == 220  # of half a second
        times_s = np.array([time_s for _, time_s in cut])
        assert np.allclose(np.diff(times_s), 0.01, atol=0.002)


def test_a_microphone_that_is_not_there_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vcam.plugins.microphone.RETRY_S", 0.001)
    clock, said, heard, tries = FakeClock(), Said(), list[float](), list[str]()

    class Device:
        def __init__(self, take: Callable[..., None]) -> None:
            self.take = take

        def __enter__(self) -> int:
            self.take(np.full((480, 2), 0.5, np.float32), 0.0)
            return 48_000

        def __exit__(self, *_: object) -> None:
            tries.append("closed")

    def open_stream(name: str, take: Callable[..., None]) -> Any:
        tries.append(name)
        if len(tries) < 3:
            raise InputError("There is no microphone.")
        return Device(take)

    microphone = Microphone("Yeti", clock=clock, messages=Messages(said, clock), open_stream=open_stream)
    microphone.hear(lambda block, time_s: heard.append(float(block[0])))
    assert wait_for(lambda: bool(heard))
    microphone.hear(None)
    assert heard == [0.5]
    assert said == ["There is no microphone."]
    assert wait_for(lambda: tries[-1] == "closed")


def test_states_are_read_as_they_were_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plugins.json"
    monkeypatch.setattr("vcam.plugins.report.report_path", lambda: path)
    assert read_states() == ()
    path.write_text(json.dumps([{"name": "x", "state": "on"}]), encoding="utf-8")
    assert read_states() == (PluginState("x", "on"),)
    path.write_text("[{", encoding="utf-8")
    assert read_states() == ()


def test_where_no_state_can_be_kept_nothing_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for path in (file / "plugins.json", file / "log" / "plugins.json"):
        monkeypatch.setattr("vcam.plugins.report.report_path", lambda path=path: path)
        report_states(lambda: (PluginState("x", "on"),), threading.Event())  # returns
        assert read_states() == ()
