"""Sound daemons of one's own, in a folder that nobody else uses: PulseAudio, or PipeWire with pipewire-pulse."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from engine.errors import DeviceError
from engine.values import Floats
from tests.vcam.pipewire_session import PipeWireSession, wait_until
from vcam.sound.pulse import PulseConnection, PulseSource
from vcam.sound.pulse_streams import play, raise_failure, recording, taken_from
from vcam.sound.streams import RATE_HZ

TONE_HZ = 1000.0

PULSE_CONFIG = """
load-module module-native-protocol-unix
load-module module-suspend-on-idle
"""
PROGRAMS = {
    "pulseaudio": ("pulseaudio", "pactl"),
    "pipewire": ("pipewire", "wireplumber", "dbus-daemon", "pipewire-pulse", "pw-dump", "pactl"),
}


class SoundSession:
    """A daemon that programs of this process find, with a microphone ``camera_microphone``: what is played into its sink."""

    def __init__(self, kind: str, folder: Path, rate_hz: int = 48_000, channels: int = 1) -> None:
        self._kind, self._folder = kind, folder
        self._microphone = f"sink_name=room rate={rate_hz} channels={channels}"
        self._pipewire: PipeWireSession | None = None
        self._daemon: subprocess.Popen[bytes] | None = None
        self._command: list[str] = []

    def start(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._kind == "pipewire":
            self._pipewire = PipeWireSession(self._folder)
            self._pipewire.start()
            command = ["pipewire-pulse"]
        else:
            config = self._folder / "default.pa"
            config.write_text(PULSE_CONFIG, encoding="utf-8")
            command = ["pulseaudio", "--daemonize=no", "--exit-idle-time=-1", "-n", "-F", str(config), "--disallow-exit"]
        self._command = command
        wait_until(self._answers)
        self.plug_in()

    def _answers(self) -> bool:
        """Whether the daemon is there; starts it when it is not running, as it may end when what it needs is not ready yet."""
        if self._daemon is None or self._daemon.poll() is not None:
            environment = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self._folder}/bus"}
            with (self._folder / "daemon.log").open("ab") as log:
                self._daemon = subprocess.Popen(self._command, env=environment, stdout=log, stderr=log)
        return bool(self.pactl("info", check=False))

    def stop(self) -> None:
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait()
            self._daemon = None
        if self._pipewire is not None:
            self._pipewire.stop()
        shutil.rmtree(self._folder / "pulse", ignore_errors=True)

    def plug_in(self) -> None:
        """The microphone is there."""
        self.pactl("load-module", "module-null-sink", *self._microphone.split())
        self.pactl("load-module", "module-remap-source", "source_name=camera_microphone", "master=room.monitor")

    def unplug(self) -> None:
        """The microphone is gone."""
        self.pactl("unload-module", "module-remap-source")
        self.pactl("unload-module", "module-null-sink")

    def pactl(self, *arguments: str, check: bool = True) -> str:
        """What ``pactl`` prints."""
        done = subprocess.run(["pactl", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout

    def names(self, things: str) -> list[str]:
        """Of "sinks", "sources" and so on."""
        return [line.split("\t")[1] for line in self.pactl("list", "short", things).splitlines()]


@contextmanager
def sound_session(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **microphone: int) -> Iterator[SoundSession]:
    """A daemon that runs; skips the test where it is not installed."""
    for program in PROGRAMS[kind]:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("PULSE_COOKIE", str(folder / "cookie"))
    monkeypatch.delenv("PULSE_SERVER", raising=False)
    session = SoundSession(kind, folder, **microphone)
    try:
        session.start()
        yield session
    finally:
        session.stop()


class Tone:
    """What is played: a tone, until ``stop``."""

    lead_s = 0.05

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._played = 0

    def fill(self, count: int, in_s: float) -> Floats:
        numbers = self._played + np.arange(count)
        self._played += count
        return (0.5 * np.sin(2 * np.pi * TONE_HZ / RATE_HZ * numbers)).astype(np.float32)

    def goes_on(self) -> bool:
        return not self.stop.is_set()


class Playing(threading.Thread):
    """Plays a tone into a sink, as another program."""

    def __init__(self, sink: str) -> None:
        super().__init__(daemon=True)
        self._sink, self.tone = sink, Tone()

    def run(self) -> None:
        with suppress(DeviceError), PulseConnection() as connection:
            play(connection, self._sink, self.tone)

    def __enter__(self) -> Playing:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.tone.stop.set()
        self.join()


def hears_the_tone(heard: list[Floats]) -> bool:
    """Whether the last tenth of a second is the tone."""
    last = np.concatenate(heard[-10:])[:, 0] if len(heard) >= 10 else np.zeros(4800)
    spectrum = np.abs(np.fft.rfft(last, RATE_HZ // 10))
    return bool(spectrum.argmax() == TONE_HZ / 10 and np.abs(last).max() > 0.4)


def tone_arrives(source: str) -> bool:
    """Whether what is played into the microphone is heard within some seconds from a source."""
    heard: list[Floats] = []
    found = PulseSource(source, source, False)
    with suppress(DeviceError), Playing("room"), PulseConnection() as connection, recording(connection, found) as stream:
        for _ in range(300):
            connection.wait(0.02)
            raise_failure(connection, stream)
            heard += taken_from(connection, stream)
            if hears_the_tone(heard):
                return True
    return False
