"""Sound in and out through the real daemons, PulseAudio and PipeWire, and through a library like sounddevice."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engine.errors import DeviceError
from engine.values import Floats
from tests.test_docs import ROOT
from tests.vcam.pipewire_session import wait_until
from tests.vcam.sound_sessions import Playing, SoundSession, Tone, hears_the_tone, sound_session
from vcam.sound import devices, portaudio
from vcam.sound.pulse import PulseConnection
from vcam.sound.pulse_streams import PulseMicrophoneStream, chosen_source
from vcam.sound.streams import RATE_HZ
from vcam.sound.virtual_microphone import SINK, SOURCE, VirtualMicrophone


@pytest.fixture(params=["pulseaudio", "pipewire"])
def session(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundSession]:
    with sound_session(request.param, tmp_path / "daemon", monkeypatch) as running:
        yield running


@pytest.mark.parametrize("kind", ["pulseaudio", "pipewire"])
@pytest.mark.parametrize(("rate_hz", "channels"), [(16_000, 1), (44_100, 2), (96_000, 2)])
def test_a_microphone_is_heard_whatever_it_has(
    kind: str, rate_hz: int, channels: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Floats] = []
    with (
        sound_session(kind, tmp_path / "daemon", monkeypatch, rate_hz=rate_hz, channels=channels),
        Playing("room"),
        devices.open_microphone("camera", lambda block, _age_s: heard.append(block)) as given_hz,
    ):
        wait_until(lambda: hears_the_tone(heard))
        assert given_hz == RATE_HZ


def test_what_is_played_other_programs_hear_as_a_microphone(session: SoundSession) -> None:
    before = session.names("sinks"), session.names("sources"), session.pactl("info").split("Default")[1:3]
    heard: list[Floats] = []
    with devices.open_virtual_microphone("") as output:
        assert "Description: HifiHead Mic\n" in session.pactl("list", "sources")
        assert SOURCE in session.names("sources")
        assert session.pactl("info").split("Default")[1:3] == before[2]
        tone = Tone()
        listening = threading.Thread(target=hear_as_another_program, args=(heard, tone.stop))
        listening.start()
        output.play(tone)
        listening.join()
        assert hears_the_tone(heard)
    assert (session.names("sinks"), session.names("sources")) == before[:2]


def hear_as_another_program(heard: list[Floats], done: threading.Event) -> None:
    """Records the virtual microphone with the daemon's own program until the tone is heard."""
    command = ["parec", f"--device={SOURCE}", "--format=float32le", "--channels=1", f"--rate={RATE_HZ}", "--latency-msec=20"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            for _ in range(3000):
                heard.append(np.frombuffer(process.stdout.read(4 * 480), np.float32).reshape(-1, 1))
                if hears_the_tone(heard):
                    return
        finally:
            done.set()
            process.kill()


def test_what_a_killed_process_left_is_taken_away(session: SoundSession) -> None:
    program = """
        import os
        from vcam.sound.pulse import PulseConnection
        from vcam.sound.virtual_microphone import VirtualMicrophone
        VirtualMicrophone(PulseConnection())
        os.kill(os.getpid(), 9)
    """
    before = session.names("sinks"), session.names("sources")
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT, check=False)
    assert SINK in session.names("sinks")
    with PulseConnection() as connection, VirtualMicrophone(connection):
        assert session.names("sinks").count(SINK) == session.names("sources").count(SOURCE) == 1
    assert (session.names("sinks"), session.names("sources")) == before


def test_two_programs_do_not_take_each_others_microphone_away(session: SoundSession) -> None:
    with PulseConnection() as connection, VirtualMicrophone(connection), PulseConnection() as other:
        with pytest.raises(DeviceError, match="another HifiHead Cam"):
            VirtualMicrophone(other)
        assert SOURCE in session.names("sources")


def test_the_microphone_that_is_heard_is_never_the_virtual_one_nor_what_an_output_plays(session: SoundSession) -> None:
    with PulseConnection() as connection, VirtualMicrophone(connection):
        session.pactl("set-default-source", SOURCE)
        wait_until(lambda: connection.default_source() == SOURCE)
        assert chosen_source(connection, "").name == "camera_microphone"
        assert chosen_source(connection, "CAMERA").name == "camera_microphone"
        with pytest.raises(DeviceError, match=r"There is no microphone \"Yeti\"; there are: "):
            chosen_source(connection, "Yeti")
        session.unplug()
        with pytest.raises(DeviceError, match="There is no microphone"):
            chosen_source(connection, "")


def test_a_microphone_that_is_unplugged_delivers_nothing_more(session: SoundSession) -> None:
    heard: list[Floats] = []
    with PulseMicrophoneStream("camera", lambda block, _age_s: heard.append(block)) as _, Playing("room"):
        wait_until(lambda: hears_the_tone(heard))
    stream = PulseMicrophoneStream("camera", lambda block, _age_s: None)
    with stream:
        session.unplug()
        wait_until(lambda: not stream.runs)
    with pytest.raises(DeviceError, match="There is no microphone"), PulseMicrophoneStream("camera", lambda *_: None):
        pass


def test_a_daemon_that_ends_ends_what_is_played(session: SoundSession) -> None:
    with devices.open_virtual_microphone("") as output:
        session.stop()
        with pytest.raises(DeviceError, match="cannot be reached"):
            output.play(Tone())
    with pytest.raises(DeviceError, match="PulseAudio or PipeWire"), devices.open_virtual_microphone(""):
        pass


# sounddevice


class PortAudioError(Exception):
    pass


class Library:
    """What of sounddevice is used, with scripted devices; a stream calls back once when it starts."""

    PortAudioError = PortAudioError

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.reread = 0
        self.played: list[Floats] = []
        self.opened: list[dict[str, Any]] = []

    def query_hostapis(self, index: int | None = None) -> Any:
        apis = [{"name": "MME"}, {"name": "Windows WASAPI"}]
        return apis if index is None else apis[index]

    def query_devices(self, index: int | None = None, _kind: str = "") -> Any:
        found = [
            {"name": name, "hostapi": api, "max_input_channels": 2, "max_output_channels": 2, "default_samplerate": 44_100.0}
            for api in (0, 1)
            for name in self.names
        ]
        return found if _kind == "" and index is None else found[index or 0]

    def WasapiSettings(self, *, auto_convert: bool) -> str:  # noqa: N802 — its name
        return f"auto_convert={auto_convert}"

    def InputStream(self, **options: Any) -> Any:  # noqa: N802
        if options["samplerate"] == RATE_HZ:
            raise PortAudioError("Invalid sample rate")
        times = SimpleNamespace(currentTime=5.0, inputBufferAdcTime=4.98)
        return self._stream(options, lambda: options["callback"](np.ones((441, 2), np.float32), 441, times, None))

    def OutputStream(self, **options: Any) -> Any:  # noqa: N802
        out, times = np.zeros((480, 2), np.float32), SimpleNamespace(currentTime=5.0, outputBufferDacTime=5.03)
        self.played.append(out)
        return self._stream(options, lambda: options["callback"](out, 480, times, None))

    def _stream(self, options: dict[str, Any], start: Callable[[], None]) -> Any:
        self.opened.append(options)
        return SimpleNamespace(start=start, close=lambda: None, active=False)

    def _terminate(self) -> None:
        self.reread += 1

    def _initialize(self) -> None:
        pass


class Ones:
    lead_s = 0.05

    def __init__(self) -> None:
        self.asked: list[tuple[int, float]] = []

    def fill(self, count: int, in_s: float) -> Floats:
        self.asked.append((count, in_s))
        return np.ones(count, np.float32)

    def goes_on(self) -> bool:
        return True


def test_without_a_daemon_a_microphone_comes_through_sounddevice_at_its_own_rate() -> None:
    library, heard = Library("Yeti"), list[tuple[int, float]]()
    stream = portaudio.SoundDeviceStream(library, "yeti", lambda block, age_s: heard.append((len(block), age_s)))
    with stream as rate_hz:
        assert rate_hz == 44_100
    assert heard == [(441, pytest.approx(0.01))]
    assert library.opened[0]["device"] == 1  # of the same under two systems the one with less delay
    assert library.opened[0]["extra_settings"] == "auto_convert=True"


def test_a_device_that_is_not_there_is_named_and_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library("Speakers")
    monkeypatch.setattr(portaudio, "load", lambda: library)
    with pytest.raises(DeviceError, match=r'There is no microphone "Yeti"; there are: Speakers\.'):
        portaudio.SoundDeviceStream(library, "Yeti", lambda *_: None).__enter__()
    assert library.reread == 1
    library.names.append("CABLE Input (VB-Audio)")
    player = Ones()
    with pytest.raises(DeviceError, match="is gone"):
        portaudio.play("CABLE Input", player)
    assert player.asked == [(480, pytest.approx(0.03))]
    assert library.played[0].min() == 1.0


@pytest.mark.parametrize(("system", "needed"), [("win32", "VB-Cable"), ("darwin", "BlackHole")])
def test_on_other_systems_it_is_said_which_cable_is_needed(system: str, needed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(portaudio, "load", lambda: Library("Speakers"))
    with devices.open_virtual_microphone("") as output, pytest.raises(DeviceError, match=needed):
        output.play(Ones())
    with devices.open_virtual_microphone("Loop") as output, pytest.raises(DeviceError, match=r'no output "Loop".*Speakers\.$'):
        output.play(Ones())


def test_without_the_library_it_is_said_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(DeviceError, match="pip install sounddevice"):
        portaudio.load()
