"""Which way sound comes in and goes out on this system.

On Linux that is libpulse, which PulseAudio and PipeWire both answer: PortAudio knows neither, it reaches them only where ALSA's
plug-ins for them are installed, cannot name their devices then, and is itself not in its package there. Without a daemon the
microphone comes through PortAudio there, too.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from engine.errors import DeviceError
from vcam.sound import portaudio, pulse_streams
from vcam.sound.pulse import PulseConnection
from vcam.sound.streams import Player, Take
from vcam.sound.virtual_microphone import NAME, SINK, VirtualMicrophone

CABLES = {"win32": "CABLE Input", "darwin": "BlackHole"}  # what the cables below are called as outputs
NO_CABLE = {
    "win32": "Install VB-Cable (vb-audio.com/Cable), choose CABLE Output as the microphone in the meeting program",
    "darwin": "Install BlackHole 2ch (existential.audio/blackhole), choose it as the microphone in the meeting program",
}


def open_microphone(name: str, take: Take) -> AbstractContextManager[int]:
    """As of ``streams.OpenStream``; raises DeviceError."""
    if sys.platform == "linux" and daemon_answers():
        return pulse_streams.PulseMicrophoneStream(name, take)
    return portaudio.SoundDeviceStream(portaudio.load(), name, take)


def daemon_answers() -> bool:
    """Whether there are libpulse and a daemon."""
    try:
        with PulseConnection():
            return True
    except DeviceError:
        return False


class SoundOutput(Protocol):
    """Where sound goes to."""

    def wait(self, longest_s: float) -> None:
        """Waits for up to that long; raises DeviceError when the output goes."""

    def play(self, player: Player) -> None:
        """Plays; raises DeviceError when the output goes."""


@contextmanager
def open_virtual_microphone(device: str) -> Iterator[SoundOutput]:
    """What is played there other programs hear as a microphone: on Linux ``HifiHead Mic``, which exists within the context;
    elsewhere, and where ``device`` names an output, the virtual cable behind that. Raises DeviceError."""
    if device or sys.platform != "linux":
        yield DeviceOutput(device)
        return
    with PulseConnection() as connection, VirtualMicrophone(connection):
        yield DaemonOutput(connection)


class DaemonOutput:
    """Plays into the virtual microphone of the daemon."""

    def __init__(self, connection: PulseConnection) -> None:
        self._connection = connection

    def wait(self, longest_s: float) -> None:
        self._connection.wait(longest_s)

    def play(self, player: Player) -> None:
        pulse_streams.play(self._connection, SINK, player)


class DeviceOutput:
    """Plays into an output by name; "" = the virtual cable that is known on this system."""

    def __init__(self, name: str) -> None:
        self._named, self._name = bool(name), name or CABLES.get(sys.platform, NAME)

    def wait(self, longest_s: float) -> None:
        time.sleep(longest_s)

    def play(self, player: Player) -> None:
        try:
            portaudio.play(self._name, player)
        except DeviceError as error:
            advice = "" if self._named else NO_CABLE.get(sys.platform, "")
            raise DeviceError(
                f"{error} {advice}, or name another output: plugins.avsync.device." if advice else str(error)
            ) from error
