"""How long each stage takes: the last few hundred times, as median and 95th percentile."""

from __future__ import annotations

import mmap
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

WINDOW = 600  # times kept per stage


class Stats:
    """Collects durations by stage name; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times_s: dict[str, deque[float]] = {}

    def add(self, stage: str, duration_s: float) -> None:
        with self._lock:
            self._times_s.setdefault(stage, deque(maxlen=WINDOW)).append(duration_s)

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Adds the time that the block takes."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - start)

    def clear(self) -> None:
        with self._lock:
            self._times_s.clear()

    def percentiles_ms(self, stage: str) -> tuple[float, float] | None:
        """(p50, p95) in ms, or None when the stage was never measured."""
        with self._lock:
            times_s = list(self._times_s.get(stage, ()))
        if not times_s:
            return None
        p50, p95 = np.percentile(times_s, [50, 95]) * 1000
        return round(float(p50), 2), round(float(p95), 2)

    def table(self) -> dict[str, dict[str, float]]:
        """{stage: {"p50_ms", "p95_ms"}} in the order in which the stages first appeared."""
        with self._lock:
            stages = list(self._times_s)
        rows = ((stage, self.percentiles_ms(stage)) for stage in stages)
        return {stage: {"p50_ms": row[0], "p95_ms": row[1]} for stage, row in rows if row is not None}


class Rate:
    """Events per second over the last ``window_s`` seconds."""

    def __init__(self, window_s: float = 2.0) -> None:
        self._window_s = window_s
        self._times_s: deque[float] = deque()

    def tick(self, now: float) -> None:
        self._times_s.append(now)
        while self._times_s[0] < now - self._window_s:
            self._times_s.popleft()

    def per_second(self) -> float:
        times = list(self._times_s)
        span_s = times[-1] - times[0] if len(times) > 1 else 0.0
        return (len(times) - 1) / span_s if span_s > 0 else 0.0


def resident_memory_mb() -> float:
    """What the process holds in memory now (peak where the system does not tell) [MB]."""
    try:
        with open("/proc/self/statm", "rb") as counts:  # noqa: PTH123 — a pseudo file
            pages = int(counts.read().split()[1])
        return round(pages * mmap.PAGESIZE / 1024**2, 1)
    except (OSError, IndexError):
        return peak_memory_mb()


def peak_memory_mb() -> float:
    """The most the process has ever held [MB]; 0 where the system does not tell."""
    try:
        import resource  # not on Windows
    except ImportError:
        return 0.0
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)
