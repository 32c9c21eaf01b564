"""Hot keys and MIDI notes: each does its command, and what cannot be used is told."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from engine.errors import InputError
from plugins import keys
from plugins.keys import KeysPlugin
from tests.vcam.test_session import wait_for
from vcam.plugins.testing import PluginRun
from vcam.snapshot import PluginState, Snapshot

NO_KEYS = dict.fromkeys(("card", "pause", "next_avatar", "recalibrate", "mute", "record"), "")


@pytest.fixture(autouse=True)
def no_thread_remains() -> Iterator[None]:
    yield
    assert wait_for(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("keys")])


@pytest.fixture
def pressed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], None]]:
    """What is called when keys are pressed, instead of a real keyboard."""
    actions: dict[str, Callable[[], None]] = {}

    def listen(wanted: Mapping[str, Callable[[], None]], say: Callable[[str], None]) -> Callable[[], None]:
        actions.update(wanted)
        return actions.clear

    monkeypatch.setattr(keys, "listen_to_keys", listen)
    return actions


def test_each_key_does_its_command(pressed: dict[str, Callable[[], None]]) -> None:
    with PluginRun(KeysPlugin, folder=Path("photos"), avatars=["a.jpg", "b.jpg"], pause="<f9>") as run:
        run.snapshot = Snapshot("driving", avatar="a.jpg")
        for key in ("<ctrl>+<alt>+n", "<f9>", "<ctrl>+<alt>+r"):
            pressed[key]()
        assert wait_for(lambda: len(run.done) == 3)
        pressed["<ctrl>+<alt>+c"]()
        run.snapshot = Snapshot("paused", avatar="b.jpg", paused=True, card=True)
        pressed["<ctrl>+<alt>+c"]()
        assert run.done[3:] == [("card", (True,)), ("card", (False,))]  # at once
        for key in ("<ctrl>+<alt>+n", "<f9>"):
            pressed[key]()
        assert wait_for(lambda: len(run.done) == 7)
    a, b = Path("photos/a.jpg"), Path("photos/b.jpg")
    assert run.done[:3] == [("set_avatar", (b,)), ("pause", ()), ("recalibrate", ())]
    assert run.done[5:] == [("set_avatar", (a,)), ("resume", ())]
    assert pressed == {}


def test_keys_mute_at_once_and_switch_the_recorder(pressed: dict[str, Callable[[], None]]) -> None:
    with PluginRun(KeysPlugin) as run:
        run.snapshot = Snapshot("driving", plugins=(PluginState("recorder", "off", "the disk was full"),))
        pressed["<ctrl>+<alt>+m"]()
        assert run.done == [("mute", (True,))]
        pressed["<ctrl>+<alt>+v"]()
        assert wait_for(lambda: len(run.done) == 2)
        run.snapshot = Snapshot("driving", muted=True, plugins=(PluginState("recorder", "on"),))
        pressed["<ctrl>+<alt>+m"]()
        assert run.done[2:] == [("mute", (False,))]
        pressed["<ctrl>+<alt>+v"]()
        assert wait_for(lambda: len(run.done) == 4)
    assert [run.done[1], run.done[3]] == [("switch_plugin", ("recorder", True)), ("switch_plugin", ("recorder", False))]


def test_what_cannot_be_done_is_told_and_the_next_key_works(pressed: dict[str, Callable[[], None]]) -> None:
    with PluginRun(KeysPlugin) as run:
        pressed["<ctrl>+<alt>+n"]()
        pressed["<ctrl>+<alt>+r"]()
        assert wait_for(lambda: run.done == [("recalibrate", ())])
    assert run.said == ["There is no next portrait: plugins.keys.avatars names none."]


@pytest.mark.usefixtures("pressed")
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"pause": "<ALT>+<ctrl>+C"}, "<ALT>.<ctrl>.C is taken twice, for card and for pause"),
        ({"midi": "pad", "notes": {"card": 36, "pause": 36}}, "36 is taken twice, for card and for pause"),
    ],
)
def test_a_key_or_note_that_is_taken_twice_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words), PluginRun(KeysPlugin, **settings):
        pass


@pytest.mark.parametrize("notes", [{"card": 128}, {"card": -1}, {"jump": 3}])
def test_notes_are_those_of_midi_and_commands_those_that_there_are(notes: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        PluginRun(KeysPlugin, notes=notes)


def test_the_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynput", None)
    with pytest.raises(ModuleNotFoundError), PluginRun(KeysPlugin):
        pass
    assert "pip install pynput" in KeysPlugin.install
    monkeypatch.setitem(sys.modules, "mido", None)
    with pytest.raises(InputError, match="pip install mido python-rtmidi"), PluginRun(KeysPlugin, midi="pad", **NO_KEYS):
        pass


# MIDI


class FakeMidi:
    """Stands in for the package mido, with one device."""

    def __init__(self) -> None:
        self.names = list[str]()
        self.struck: Callable[[Any], None] | None = None
        self.busy = False

    def get_input_names(self) -> list[str]:
        return self.names

    def open_input(self, name: str, *, callback: Callable[[Any], None]) -> Any:
        if self.busy:
            raise OSError("device or resource busy")
        self.struck = callback
        return SimpleNamespace(close=lambda: setattr(self, "struck", None))

    def strike(self, note: int, velocity: int = 90, kind: str = "note_on") -> None:
        assert self.struck is not None
        self.struck(SimpleNamespace(type=kind, note=note, velocity=velocity))


@pytest.fixture
def midi(monkeypatch: pytest.MonkeyPatch) -> FakeMidi:
    library = FakeMidi()
    monkeypatch.setattr(keys, "midi_library", lambda: library)
    monkeypatch.setattr(keys, "LOOK_S", 0.002)
    return library


def test_notes_do_commands_also_after_the_device_was_unplugged(midi: FakeMidi) -> None:
    midi.names, midi.busy = ["Through", "nanoPAD 2"], True
    with PluginRun(KeysPlugin, midi="NanoPad", notes={"card": 36, "recalibrate": 37}, **NO_KEYS) as run:
        assert wait_for(lambda: "device or resource busy" in str(run.said))
        midi.busy = False
        assert wait_for(lambda: midi.struck is not None)
        midi.strike(36)
        midi.strike(36, velocity=0)  # how many devices tell the end of a note
        midi.strike(40)
        midi.strike(37, kind="note_off")
        assert run.done == [("card", (True,))]
        midi.names = ["Through"]
        assert wait_for(lambda: midi.struck is None)
        assert wait_for(lambda: len(run.said) == 3)
        midi.names = ["Through", "nanoPAD 2"]
        assert wait_for(lambda: midi.struck is not None)
        midi.strike(37)
        assert wait_for(lambda: len(run.done) == 2)
    assert midi.struck is None
    assert run.said == [
        "The MIDI device 'NanoPad' cannot be opened (device or resource busy).",
        "The MIDI device nanoPAD 2 is gone; it is waited for.",
        "There is no MIDI device 'NanoPad'; it is waited for. There are: Through.",
    ]


# a real keyboard, of a server without a screen


PRESS = """
import sys
from Xlib import XK, X, display
from Xlib.ext import xtest
server = display.Display()
codes = [server.keysym_to_keycode(XK.string_to_keysym(name)) for name in ("Control_L", "Alt_L", sys.argv[1])]
for code in codes:
    xtest.fake_input(server, X.KeyPress, code)
for code in reversed(codes):
    xtest.fake_input(server, X.KeyRelease, code)
server.sync()
"""


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of an X server of its own."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "320x240x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        name = f":{server.stdout.readline().strip()}"
        monkeypatch.setenv("DISPLAY", name)
        yield name
        server.terminate()


LISTEN = """
import sys, time
from plugins.keys import KeysPlugin
from vcam.plugins.testing import PluginRun
with PluginRun(KeysPlugin) as run:
    print("listening", flush=True)
    for line in sys.stdin:
        while len(run.done) < int(line):
            time.sleep(0.01)
        print(run.done, run.said, flush=True)
"""


@pytest.mark.usefixtures("display")
def test_keys_are_heard_whatever_window_is_in_front() -> None:
    """In processes of their own: pynput connects to the X server when it is imported."""
    pytest.importorskip("Xlib", reason="pynput is not installed")
    listening = [sys.executable, "-c", LISTEN]
    with subprocess.Popen(listening, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        for key in "xcr":
            subprocess.run([sys.executable, "-c", PRESS, key], check=True, timeout=60)
        said, _ = process.communicate("2\n", timeout=60)
    assert said == "[('card', (True,)), ('recalibrate', ())] []\n"


def test_without_an_x_server_and_with_unknown_keys_it_is_told(display: str) -> None:
    pytest.importorskip("Xlib", reason="pynput is not installed")
    script = LISTEN.replace("KeysPlugin)", "KeysPlugin, card=sys.argv[1])")
    for name, key, words in (("", "<f9>", "no X server was found"), (display, "<ctrl>+<nokey>", "are no keys")):
        done = subprocess.run(
            [sys.executable, "-c", script, key],
            env={**os.environ, "DISPLAY": name},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert words in done.stderr.splitlines()[-1]
