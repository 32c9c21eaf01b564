"""Sound through PortAudio, by the library ``sounddevice``: on Windows and macOS, and on Linux without a sound daemon."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Literal

import numpy as np

from engine.errors import DeviceError
from engine.values import Floats
from vcam.sound.streams import LOOK_S, RATE_HZ, Player, Take

LONGEST_AGE_S = 0.5  # what a system that does not know when sound was heard, or will be, says beyond this is not believed
PREFERRED = "Windows WASAPI"  # of Windows' four lists of the same devices: the others add a tenth of a second
NO_LIBRARY = (
    "Sound needs the package sounddevice and the library PortAudio. "
    "Type: pip install sounddevice; on Debian and Ubuntu also: sudo apt install libportaudio2"
)
_changing = threading.Lock()
_open: list[object] = []  # streams


def load() -> Any:
    """The library; raises DeviceError."""
    try:
        import sounddevice  # here: it loads PortAudio, and only sound needs it
    except (ImportError, OSError) as error:
        raise DeviceError(NO_LIBRARY) from error
    return sounddevice


class SoundDeviceStream(AbstractContextManager[int]):
    """Records the microphone ``name`` until the end of the context, which gives the rate [Hz]: 48 kHz where that can be, else
    the microphone's own."""

    def __init__(self, library: Any, name: str, take: Take) -> None:
        self._library, self._name, self._take = library, name, take
        self._opened = ExitStack()

    def __enter__(self) -> int:
        """Raises DeviceError when there is no such microphone, or it cannot be opened."""
        with told(self._library, f"The microphone {self._name or 'of the system'}"):
            index = device(self._library, self._name, "input") if self._name else None
            found = self._library.query_devices(index, "input")
            rates = (RATE_HZ, int(found["default_samplerate"]))
            for rate_hz in rates:
                try:
                    self._open(index, rate_hz, min(2, int(found["max_input_channels"])))
                except self._library.PortAudioError:
                    if rate_hz == rates[-1]:
                        raise
                else:
                    return rate_hz
        raise AssertionError("one of the rates was opened or refused")

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def _open(self, index: int | None, rate_hz: int, channels: int) -> None:
        def callback(block: Floats, _count: int, times: Any, _status: object) -> None:
            first_s = believed(times.currentTime - times.inputBufferAdcTime)
            self._take(block.copy(), max(0.0, first_s - len(block) / rate_hz))

        options = options_of(self._library, index, "input")
        stream = self._library.InputStream(
            device=index, samplerate=rate_hz, channels=channels, blocksize=rate_hz // 100, callback=callback, **options
        )
        self._opened.enter_context(started(stream))


def play(name: str, player: Player) -> None:
    """Plays into an output; raises DeviceError when it is not there or goes."""
    library = load()
    with told(library, f"The output {name}"):
        index = device(library, name, "output")
        channels = min(2, int(library.query_devices(index)["max_output_channels"]))

        def callback(block: Floats, count: int, times: Any, _status: object) -> None:
            block[:] = player.fill(count, believed(times.outputBufferDacTime - times.currentTime))[:, None]

        options = options_of(library, index, "output")
        stream = library.OutputStream(
            device=index, samplerate=RATE_HZ, channels=channels, blocksize=RATE_HZ // 100, callback=callback, **options
        )
        with started(stream):
            while player.goes_on():
                if not stream.active:
                    raise DeviceError(f"The output {name} is gone.")
                time.sleep(LOOK_S)


def device(library: Any, name: str, direction: Literal["input", "output"]) -> int:
    """The number of the device whose name contains ``name``; raises DeviceError when there is none."""
    apis, found, others = library.query_hostapis(), [], []
    for index, each in enumerate(library.query_devices()):
        if each[f"max_{direction}_channels"] > 0:
            others.append(each["name"])
            if name.casefold() in each["name"].casefold():
                preferred = apis[each["hostapi"]]["name"] == PREFERRED
                found.append((each["name"].casefold() != name.casefold(), not preferred, index))
    if not found:
        what = "microphone" if direction == "input" else "output"
        raise DeviceError(f'There is no {what} "{name}"; there are: {", ".join(sorted(set(others))) or "none"}.')
    return min(found)[-1]


def options_of(library: Any, index: int | None, direction: Literal["input", "output"]) -> dict[str, Any]:
    """How a device is opened: float32, soon, and at whatever rate is wanted."""
    api = library.query_hostapis(library.query_devices(index, direction)["hostapi"])["name"]
    converted = {"extra_settings": library.WasapiSettings(auto_convert=True)} if api == PREFERRED else {}
    return {"dtype": np.float32, "latency": "low", **converted}


@contextmanager
def told(library: Any, what: str) -> Iterator[None]:
    """Makes the library's errors DeviceErrors. After one the list of devices is read again, so that those that come back are
    found, unless a stream is open, which that would end."""
    try:
        yield
    except (library.PortAudioError, ValueError, DeviceError) as error:
        with _changing:
            if not _open:
                library._terminate()
                library._initialize()
        if isinstance(error, DeviceError):
            raise
        raise DeviceError(f"{what} cannot be opened: {error}.") from error


@contextmanager
def started(stream: Any) -> Iterator[None]:
    """Within, the stream runs."""
    with _changing:
        _open.append(stream)
    try:
        stream.start()
        yield
    finally:
        stream.close()
        with _changing:
            _open.remove(stream)


def believed(age_s: float) -> float:
    """A time between two moments [s] as a system tells it; 0 where it does not know."""
    return age_s if 0 < age_s < LONGEST_AGE_S else 0.0
