"""The microphone, for plug-ins that hear: 48 kHz, mono, whatever the device has. It is open only while one of them is on."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from engine.errors import DeviceError
from engine.values import Floats
from vcam.interfaces import Clock
from vcam.messages import Messages
from vcam.plugins.interface import SOUND_BLOCK, SOUND_RATE_HZ
from vcam.sound.devices import open_microphone
from vcam.sound.streams import OpenStream

RETRY_S = 2.0  # between attempts to open a microphone that is absent or was unplugged
LOOK_S = 0.1  # how often it is looked whether to go on
SILENT_S = 2.0  # without a block: the device is gone
WAITING = 50  # blocks; more are dropped


class Hearing(Protocol):
    """What lets a listener hear."""

    def hear(self, listener: Callable[[Floats, float], None] | None) -> None:
        """Calls it with blocks (``SOUND_BLOCK``,) and the time of their first sample, on a thread, until told None."""


class Microphone:
    """``hear`` lets a listener have blocks (``SOUND_BLOCK``,) and the time of their first sample, on a thread, until it is told
    None. Never raises: what is wrong is told, and tried again."""

    def __init__(self, name: str, *, clock: Clock, messages: Messages, open_stream: OpenStream | None = None) -> None:
        self._name, self._clock, self._messages = name, clock, messages
        self._open_stream = open_stream or open_microphone
        self._stop: threading.Event | None = None

    def hear(self, listener: Callable[[Floats, float], None] | None) -> None:
        """Opens the microphone for a listener, or closes it; returns at once."""
        if self._stop is not None:
            self._stop.set()
            self._stop = None
        if listener is not None:
            self._stop = threading.Event()
            threading.Thread(target=self._run, args=(listener, self._stop), name="microphone", daemon=True).start()

    def _run(self, listener: Callable[[Floats, float], None], stop: threading.Event) -> None:
        while not stop.is_set():
            self._messages.attempt("microphone", "The microphone", lambda: self._listen(listener, stop))
            stop.wait(RETRY_S)

    def _listen(self, listener: Callable[[Floats, float], None], stop: threading.Event) -> None:
        """Until ``stop``; raises DeviceError when the device is not there or goes."""
        blocks: queue.Queue[tuple[Floats, float]] = queue.Queue(WAITING)

        def arrived(block: Floats, age_s: float) -> None:
            with contextlib.suppress(queue.Full):  # whoever is too slow misses it
                blocks.put_nowait((block, self._clock.now() - age_s))

        with self._open_stream(self._name, arrived) as rate_hz:
            cutter, arrived_s = BlockCutter(rate_hz), time.monotonic()
            while not stop.is_set():
                try:
                    block, heard_s = blocks.get(timeout=LOOK_S)
                except queue.Empty:
                    if time.monotonic() - arrived_s > SILENT_S:
                        raise DeviceError(f"The microphone {self._name or 'of the system'} delivers nothing.") from None
                    continue
                arrived_s = time.monotonic()
                for cut, time_s in cutter.cut(block, heard_s):
                    listener(cut, time_s)


class BlockCutter:
    """Makes blocks of 10 ms, 48 kHz, mono of what a device delivers."""

    def __init__(self, rate_hz: int) -> None:
        import av  # here: only while a plug-in hears

        self._av: Any = av
        self._rate_hz = rate_hz
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=SOUND_RATE_HZ) if rate_hz != SOUND_RATE_HZ else None
        self._kept = np.empty(0, np.float32)

    def cut(self, block: Floats, heard_s: float) -> list[tuple[Floats, float]]:
        """(N, channels) → blocks (480,) and the time of their first sample; ``heard_s``: when the last sample was heard."""
        self._kept = np.concatenate([self._kept, self._resampled(block.mean(1, dtype=np.float32))])
        whole = len(self._kept) // SOUND_BLOCK * SOUND_BLOCK
        first_s = heard_s - len(self._kept) / SOUND_RATE_HZ
        cut, self._kept = self._kept[:whole].reshape(-1, SOUND_BLOCK), self._kept[whole:].copy()
        return [(part.copy(), first_s + number * SOUND_BLOCK / SOUND_RATE_HZ) for number, part in enumerate(cut)]

    def _resampled(self, mono: Floats) -> Floats:
        if self._resampler is None:
            return mono
        frame = self._av.AudioFrame.from_ndarray(np.ascontiguousarray(mono[None]), format="flt", layout="mono")
        frame.sample_rate = self._rate_hz
        parts = [part.to_ndarray()[0] for part in self._resampler.resample(frame)]
        return np.concatenate(parts) if parts else np.empty(0, np.float32)
