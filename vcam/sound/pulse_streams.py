"""Sound out of and into the daemon, PulseAudio or PipeWire: 48 kHz, mono, float32, whatever the device has."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import numpy as np

from engine.errors import DeviceError
from engine.values import Floats
from vcam.sound import pulse_library
from vcam.sound.pulse import PulseConnection, PulseSource
from vcam.sound.streams import LOOK_S, RATE_HZ, Player, Take
from vcam.sound.virtual_microphone import OWN

SAMPLE_BYTES = 4
RECORDED_S = 0.01  # is taken from the daemon at once
REQUESTED_S = 0.005  # is asked for by the daemon at once
LEAD_CHANGE_S = 0.01  # when less or more of what is played lies ready, the daemon is told
LONGEST_AGE_S = 0.2  # what the daemon tells beyond this is not believed: it is settling
CHOOSE_S = 2.0  # how often it is looked whether the system has another microphone now


class PulseMicrophoneStream(AbstractContextManager[int]):
    """Records the microphone ``name`` until the end of the context, on a thread of its own; the context gives the rate [Hz].

    When the microphone goes, blocks stop coming. When the system's becomes another one, that is recorded.
    """

    def __init__(self, name: str, take: Take) -> None:
        self._name, self._take = name, take
        self._stop, self._opened = threading.Event(), threading.Event()
        self._failure: DeviceError | None = None
        self._thread = threading.Thread(target=self._run, name="microphone stream", daemon=True)

    def __enter__(self) -> int:
        """Raises DeviceError when there is no such microphone, or no daemon."""
        self._thread.start()
        self._opened.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return RATE_HZ

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def runs(self) -> bool:
        """Whether blocks may still come."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            with PulseConnection() as connection:
                while not self._stop.is_set():
                    chosen = chosen_source(connection, self._name)
                    with recording(connection, chosen) as stream:
                        self._opened.set()
                        self._record(connection, stream, chosen)
        except DeviceError as error:
            self._failure = error
        finally:
            self._opened.set()

    def _record(self, connection: PulseConnection, stream: int, chosen: PulseSource) -> None:
        """Until ``stop``, or until another microphone is the one; raises DeviceError when it goes."""
        choose_s = time.monotonic() + CHOOSE_S
        while not self._stop.is_set():
            connection.wait(LOOK_S)
            raise_failure(connection, stream)
            for block in taken_from(connection, stream):
                age_s = latency_of(connection, stream) or 0.0
                self._take(block, max(0.0, age_s) if age_s < LONGEST_AGE_S else 0.0)
            if time.monotonic() > choose_s:
                choose_s = time.monotonic() + CHOOSE_S
                if chosen_source(connection, self._name) != chosen:
                    return


def play(connection: PulseConnection, sink: str, player: Player) -> None:
    """Plays into a sink; raises DeviceError when sink or daemon go."""
    library, lead_s = connection.library, player.lead_s
    with playing(connection, sink, lead_s) as stream:
        while player.goes_on():
            raise_failure(connection, stream)
            if abs(player.lead_s - lead_s) > LEAD_CHANGE_S:
                lead_s = player.lead_s
                library.pa_operation_unref(library.pa_stream_set_buffer_attr(stream, buffer_of(lead_s), None, None))
            count = int(library.pa_stream_writable_size(stream)) // SAMPLE_BYTES
            latency_s = latency_of(connection, stream)
            if count < REQUESTED_S * RATE_HZ or latency_s is None:
                connection.wait(LOOK_S)
                continue
            samples = np.ascontiguousarray(player.fill(count, latency_s), np.float32)
            library.pa_stream_write(stream, samples.ctypes.data, samples.nbytes, None, 0, 0)


def chosen_source(connection: PulseConnection, name: str) -> PulseSource:
    """The microphone whose name or description contains ``name``; "" = the system's, never what an output plays.

    Never the virtual microphone, also where the user made that one the system's: then it is the first other one. Raises
    DeviceError when there is none.
    """
    sources = [source for source in connection.sources() if source.name not in OWN]
    if name:
        wanted = name.casefold()
        sources.sort(key=lambda source: source.monitor)
        found = [source for source in sources if wanted in source.name.casefold() or wanted in source.description.casefold()]
        if not found:
            others = ", ".join(f'"{source.description}"' for source in sources if not source.monitor) or "none"
            raise DeviceError(f'There is no microphone "{name}"; there are: {others}.')
        return next((source for source in found if wanted in (source.name.casefold(), source.description.casefold())), found[0])
    default = connection.default_source()
    microphones = [source for source in sources if not source.monitor]
    if not microphones:
        raise DeviceError("There is no microphone.")
    return next((source for source in microphones if source.name == default), microphones[0])


@contextmanager
def recording(connection: PulseConnection, source: PulseSource) -> Iterator[int]:
    """A stream that records a source."""
    attributes = pulse_library.BufferAttributes(*(pulse_library.NONE,) * 4, fragsize=round(RECORDED_S * RATE_HZ) * SAMPLE_BYTES)

    def connect(stream: int, flags: int) -> int:
        return int(connection.library.pa_stream_connect_record(stream, source.name.encode(), attributes, flags))

    with connected(connection, f'The microphone "{source.description}"', connect) as stream:
        yield stream


def buffer_of(lead_s: float) -> pulse_library.BufferAttributes:
    """That of a player of which so much lies ready."""
    return pulse_library.BufferAttributes(
        maxlength=pulse_library.NONE,
        tlength=round(lead_s * RATE_HZ) * SAMPLE_BYTES,
        prebuf=0,
        minreq=round(REQUESTED_S * RATE_HZ) * SAMPLE_BYTES,
        fragsize=pulse_library.NONE,
    )


@contextmanager
def playing(connection: PulseConnection, sink: str, lead_s: float) -> Iterator[int]:
    """A stream that plays into a sink, of which ``lead_s`` lies ready there."""
    attributes = buffer_of(lead_s)

    def connect(stream: int, flags: int) -> int:
        return int(connection.library.pa_stream_connect_playback(stream, sink.encode(), attributes, flags, None, None))

    with connected(connection, f"The output {sink}", connect) as stream:
        yield stream


@contextmanager
def connected(connection: PulseConnection, what: str, connect: Callable[[int, int], int]) -> Iterator[int]:
    """A stream that is ready; it stays with its device, and ends with it. Raises DeviceError."""
    library = connection.library
    flags = (
        pulse_library.INTERPOLATE_TIMING
        | pulse_library.AUTO_TIMING_UPDATE
        | pulse_library.DONT_MOVE
        | pulse_library.ADJUST_LATENCY
    )
    with ExitStack() as opened:
        spec = pulse_library.SampleSpec(pulse_library.FLOAT32, RATE_HZ, 1)
        stream: int = library.pa_stream_new(connection.context, b"HifiHead Cam", spec, None)
        opened.callback(library.pa_stream_unref, stream)
        if connect(stream, flags) < 0:
            raise DeviceError(f"{what} cannot be opened ({connection.error()}).")
        opened.callback(library.pa_stream_disconnect, stream)

        def ready() -> bool:
            if library.pa_stream_get_state(stream) == pulse_library.STREAM_FAILED:
                raise DeviceError(f"{what} cannot be opened ({connection.error()}).")
            return bool(library.pa_stream_get_state(stream) == pulse_library.STREAM_READY)

        connection.wait_until(ready)
        yield stream


def raise_failure(connection: PulseConnection, stream: int) -> None:
    """Raises DeviceError when the stream has ended."""
    if connection.library.pa_stream_get_state(stream) in (pulse_library.STREAM_FAILED, pulse_library.STREAM_TERMINATED):
        raise DeviceError("The sound device is gone.")


def taken_from(connection: PulseConnection, stream: int) -> Iterator[Floats]:
    """What was recorded and not taken yet, (N, 1) each."""
    library, data, size = connection.library, ctypes.c_void_p(), ctypes.c_size_t()
    while library.pa_stream_peek(stream, data, size) == 0 and size.value:
        count = size.value // SAMPLE_BYTES
        if data.value:
            block = np.ctypeslib.as_array((ctypes.c_float * count).from_address(data.value)).reshape(-1, 1).copy()
        else:  # a hole: the daemon lost that much
            block = np.zeros((count, 1), np.float32)
        library.pa_stream_drop(stream)
        yield block


def latency_of(connection: PulseConnection, stream: int) -> float | None:
    """Of a player: when what is written next will be played. Of a microphone: how long ago what comes next was heard [s]. None
    as long as that is not known."""
    latency_us, negative = ctypes.c_uint64(), ctypes.c_int()
    if connection.library.pa_stream_get_latency(stream, latency_us, negative) < 0:
        return None
    return (-1 if negative.value else 1) * latency_us.value / 1e6
