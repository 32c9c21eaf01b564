"""Hot keys that work whatever window is in front, and MIDI notes: card, pause, next portrait, recalibrate, mute, record."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from engine.errors import DeviceError, HifiHeadError, InputError
from engine.resource import Resource
from vcam.plugins import Controls, PluginContext, PluginSettings

END_S = 0.2  # for the thread of the keys; under X11 pynput lets it end only with the next key that is pressed
LOOK_S = 1.0  # how often it is looked whether the MIDI device is there
NO_DISPLAY = (
    "Hot keys need Windows, macOS, or a session of X11 on Linux; no X server was found ({error}). "
    'MIDI notes work without: set the keys to "".'
)
WAYLAND = (
    "Under Wayland hot keys are heard only while a program of X11 is in front: Wayland lets no program hear the others' keys."
)
NO_MIDI = f"MIDI notes need the packages mido and python-rtmidi. Type: {sys.executable} -m pip install mido python-rtmidi"

Action = Literal["card", "pause", "next_avatar", "recalibrate", "mute", "record"]
Note = Annotated[int, Field(ge=0, le=127)]


class KeysSettings(PluginSettings):
    """[plugins.keys]"""

    card: str = Field("<ctrl>+<alt>+c", description='shows the card instead of the portrait, or the portrait again; "" = no key')
    pause: str = Field("<ctrl>+<alt>+p", description="freezes the picture and gives the webcam back, or goes on")
    next_avatar: str = Field("<ctrl>+<alt>+n", description="the next portrait of avatars")
    recalibrate: str = Field("<ctrl>+<alt>+r", description="takes the next face as the one at rest")
    mute: str = Field("<ctrl>+<alt>+m", description="HifiHead Mic of avsync is silent, or the microphone is heard again")
    record: str = Field("<ctrl>+<alt>+v", description="begins a recording by the recorder, or ends it")
    avatars: list[str] = Field([], description="portraits for next_avatar; relative paths start at the settings file")
    midi: str = Field("", description='part of the name of a MIDI device whose notes count as well; "" = none')
    notes: dict[Action, Note] = Field({}, description="MIDI notes 0…127, as {card = 36, pause = 37}")


class KeysPlugin:
    """Hot keys and MIDI notes for card, pause, next portrait, recalibration, mute and recording."""

    Settings = KeysSettings
    install = f"{sys.executable} -m pip install pynput"

    def __init__(self) -> None:
        self._open = ExitStack()

    def start(self, context: PluginContext[KeysSettings]) -> None:
        settings = context.settings
        keys: dict[Action, str] = {
            "card": settings.card,
            "pause": settings.pause,
            "next_avatar": settings.next_avatar,
            "recalibrate": settings.recalibrate,
            "mute": settings.mute,
            "record": settings.record,
        }
        used = {action: key for action, key in keys.items() if key}
        refuse_twice(used, normal)
        refuse_twice(settings.notes, lambda note: note)
        with ExitStack() as opened:
            commands = opened.enter_context(Commands(context, [context.path(name) for name in settings.avatars]))
            if used:
                opened.callback(listen_to_keys({key: commands.doing(action) for action, key in used.items()}, context.say))
            if settings.midi:
                notes = {note: commands.doing(action) for action, note in settings.notes.items()}
                opened.enter_context(MidiListener(settings.midi, notes, context.say))
            self._open = opened.pop_all()

    def stop(self) -> None:
        self._open.close()


class Commands(Resource):
    """Carries out commands, one after the other, on a thread; card and mute at once, on the caller's."""

    def __init__(self, context: PluginContext[KeysSettings], avatars: list[Path]) -> None:
        self._controls, self._say, self._avatars = context.controls, context.say, avatars
        self._waiting: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="keys")
        self._thread.start()

    def doing(self, action: Action) -> Callable[[], None]:
        """What is to be called when its key is pressed."""
        controls = self._controls
        if action == "card":
            return lambda: self._attempt(lambda: controls.card(not controls.snapshot().card))
        if action == "mute":
            return lambda: self._attempt(lambda: controls.mute(not controls.snapshot().muted))
        work: dict[Action, Callable[[], None]] = {
            "pause": lambda: controls.resume() if controls.snapshot().paused else controls.pause(),
            "next_avatar": lambda: controls.set_avatar(next_avatar(self._avatars, controls)),
            "recalibrate": controls.recalibrate,
            "record": lambda: controls.switch_plugin("recorder", not is_on("recorder", controls)),
        }
        return lambda: self._waiting.put(work[action])

    def close(self) -> None:
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (work := self._waiting.get()) is not None:
            self._attempt(work)

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except HifiHeadError as error:
            self._say(str(error))


class MidiListener(Resource):
    """Calls what belongs to a note when it is struck, on a thread of the MIDI library. A device that is absent is waited for."""

    def __init__(self, name: str, notes: Mapping[int, Callable[[], None]], say: Callable[[str], None]) -> None:
        """``name``: a part of the device's; raises InputError when the library is missing."""
        self._library = midi_library()
        self._name, self._notes, self._say = name, notes, say
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keys MIDI")
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        told = ""
        while not self._stop.is_set():
            try:
                self._listen()
            except (DeviceError, OSError) as error:  # OSError: of the library, as for a device that another program has
                if str(error) != told:
                    told = str(error)
                    opening = f"The MIDI device {self._name!r} cannot be opened ({error})."
                    self._say(told if isinstance(error, DeviceError) else opening)
            self._stop.wait(LOOK_S)

    def _listen(self) -> None:
        """Until the end; raises DeviceError when the device is not there or goes."""
        names = self._library.get_input_names()
        found = next((name for name in names if self._name.casefold() in name.casefold()), None)
        if found is None:
            there = ", ".join(names) or "none"
            raise DeviceError(f"There is no MIDI device {self._name!r}; it is waited for. There are: {there}.")
        port = self._library.open_input(found, callback=self._struck)
        try:
            while not self._stop.wait(LOOK_S):
                if found not in self._library.get_input_names():
                    raise DeviceError(f"The MIDI device {found} is gone; it is waited for.")
        finally:
            port.close()

    def _struck(self, message: Any) -> None:
        if message.type == "note_on" and message.velocity > 0 and message.note in self._notes:
            self._notes[message.note]()


def is_on(name: str, controls: Controls) -> bool:
    """Whether a plug-in is on."""
    return any(plugin.name == name and plugin.state == "on" for plugin in controls.snapshot().plugins)


def next_avatar(avatars: list[Path], controls: Controls) -> Path:
    """The one after that which is shown; the first when none of them is. Raises InputError when there are none."""
    if not avatars:
        raise InputError("There is no next portrait: plugins.keys.avatars names none.")
    shown = controls.snapshot().avatar
    place = next((number for number, path in enumerate(avatars) if path.name == shown), -1)
    return avatars[(place + 1) % len(avatars)]


def refuse_twice(settings: Mapping[Action, Any], same: Callable[[Any], Any]) -> None:
    """Raises InputError when two actions have what ``same`` makes equal."""
    seen: dict[Any, Action] = {}
    for action, value in settings.items():
        if (other := seen.setdefault(same(value), action)) != action:
            raise InputError(f"{value} is taken twice, for {other} and for {action}. Change one of them in plugins.keys.")


def normal(keys: str) -> frozenset[str]:
    """Keys pressed together, whatever their order and however they are written."""
    return frozenset(part.strip().casefold() for part in keys.split("+"))


def listen_to_keys(actions: Mapping[str, Callable[[], None]], say: Callable[[str], None]) -> Callable[[], None]:
    """Calls what belongs to keys when they are pressed, on a thread; returns what ends it. Raises InputError."""
    try:
        from pynput import keyboard  # here: optional, and it connects to the X server
    except ModuleNotFoundError:
        raise  # the program says how to install it
    except ImportError as error:
        raise InputError(NO_DISPLAY.format(error=str(error).splitlines()[0])) from error
    for keys in actions:
        try:
            keyboard.HotKey.parse(keys)
        except ValueError as error:
            raise InputError(f"plugins.keys: {keys!r} are no keys. Wanted: as <ctrl>+<alt>+c, <f9>, <cmd>+<space>.") from error
    if os.environ.get("XDG_SESSION_TYPE") == "wayland":
        say(WAYLAND)
    listener = keyboard.GlobalHotKeys(dict(actions))
    listener.start()
    listener.wait()

    def end() -> None:
        listener.stop()
        listener.join(END_S)

    return end


def midi_library() -> Any:
    """The package mido with a backend that reaches devices; raises InputError."""
    try:
        import mido  # here: optional
        import rtmidi  # noqa: F401 — mido loads it when it is used
    except ImportError as error:
        raise InputError(NO_MIDI) from error
    return mido
