"""What plug-ins cost a picture: each alone and without the chain, so that whatever the process spends is the plug-in's."""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from engine.values import Coefficients, Floats, Picture
from vcam.avatars.avatar import Avatar
from vcam.interfaces import Clock
from vcam.motion import MotionFrame
from vcam.plugins.host import PluginHost
from vcam.plugins.interface import SOUND_BLOCK, SOUND_RATE_HZ

WARM_UP_PICTURES = 10
SYLLABLES_HZ, VOICE_HZ, HARMONICS = 4, 120, 20  # of the sound that is heard


class HummingMicrophone:
    """A voice that hums, syllable by syllable, in the place of a microphone; ``hear`` as of ``Microphone``."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._stop = clock, threading.Event()

    def hear(self, listener: Callable[[Floats, float], None] | None) -> None:
        self._stop.set()
        if listener is not None:
            self._stop = threading.Event()
            threading.Thread(target=self._run, args=(listener, self._stop), name="microphone", daemon=True).start()

    def _run(self, listener: Callable[[Floats, float], None], stop: threading.Event) -> None:
        start_s, block_s, blocks = self._clock.now(), SOUND_BLOCK / SOUND_RATE_HZ, hum().reshape(-1, SOUND_BLOCK)
        for number in range(2**62):
            self._clock.wait_until(start_s + (number + 1) * block_s)
            if stop.is_set():
                return
            listener(blocks[number % len(blocks)], start_s + number * block_s)


def hum() -> Floats:
    """(48000,) one second."""
    time_s = np.arange(SOUND_RATE_HZ) / SOUND_RATE_HZ
    voice = np.sum([np.sin(2 * math.pi * VOICE_HZ * number * time_s) / number for number in range(1, HARMONICS + 1)], 0)
    return np.asarray(0.1 * voice * (1 - np.cos(2 * math.pi * SYLLABLES_HZ * time_s)), np.float32)


def costs_of(
    hosts: Mapping[str, Callable[[], PluginHost]],
    avatar: Avatar,
    pictures: Sequence[Picture],
    clock: Clock,
    *,
    fps: int,
    seconds: float,
) -> list[dict[str, Any]]:
    """``hosts``: {name of a plug-in: opens a host on which that alone is on}; "" = none. ``pictures``: of the output's
    size, shown in turn, ``fps`` a second. ``seconds``: how long each is measured.

    [{"name", "drawing_ms", "cpu_ms", "reason"}], the last one the sum of the others. Drawing: what the drawing thread waits, the
    median; cpu: what all threads of the plug-in take for a picture, sound and encoding included, less what ``fps`` pictures a
    second take without any; reason: why it was switched off.
    """
    rows: list[dict[str, Any]] = []
    idle_ms = 0.0
    for name, opened in sorted(hosts.items(), key=lambda item: bool(item[0])):
        with opened() as host:
            drawing_ms, cpu_ms = cost(host, avatar, pictures, clock, fps=fps, count=max(1, round(seconds * fps)))
            reason = " ".join(state.reason for state in host.states() if state.reason)
        if name:
            rows.append(
                {"name": name, "drawing_ms": drawing_ms, "cpu_ms": max(0.0, round(cpu_ms - idle_ms, 2)), "reason": reason}
            )
        else:
            idle_ms = cpu_ms
    total = {key: round(sum(row[key] for row in rows), 2) for key in ("drawing_ms", "cpu_ms")}
    return [*rows, {"name": "together", **total, "reason": ""}]


def cost(
    host: PluginHost, avatar: Avatar, pictures: Sequence[Picture], clock: Clock, *, fps: int, count: int
) -> tuple[float, float]:
    """Of ``count`` pictures, milliseconds each: what the drawing thread waits, the median, and processor time."""
    waited_ms: list[float] = []
    cpu_s, start_s = 0.0, clock.now()
    for number in range(WARM_UP_PICTURES + count):
        clock.wait_until(start_s + number / fps)
        if number == WARM_UP_PICTURES:
            waited_ms, cpu_s = [], time.process_time()
        begin_s = time.perf_counter()
        host.on_motion(MotionFrame(Coefficients.neutral(), "driving", clock.now(), None, "bench", avatar.id))
        host.backdrop(avatar)
        drawn = host.on_frame(pictures[number % len(pictures)])
        waited_ms.append(1000 * (time.perf_counter() - begin_s))
        host.on_sent(drawn)
    return round(statistics.median(waited_ms), 2), round(1000 * (time.process_time() - cpu_s) / count, 2)
