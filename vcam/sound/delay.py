"""Sound that leaves later than it was heard, by a delay that may change: slowly, by playing up to half a percent faster or
slower, so that nobody hears it."""

from __future__ import annotations

import functools
import math
import threading
from collections import deque

import numpy as np

from engine.values import Floats
from vcam.sound.streams import RATE_HZ

LARGEST_DELAY_S = 5.0
FASTEST = 0.005  # above and below the rate
JUMP_S = 0.06  # what is further away is reached at once, with a cross-fade: within 10 s all else is nearer than 15 ms
FADE_S = 0.01
SMOOTHED_S, APPROACHED_S = 0.5, 2.0  # time constants of measuring and of correcting; with this ratio nothing overshoots
STEADY = 0.004  # share of a block's time that moves the microphone's clock: 2.5 s
CLOCK_JUMP_S, JUDGED = 0.03, 20  # blocks that all come so much later are after a gap
GAP_S = 0.5  # one block that comes so much later is, too
SHORTEST_LEAD_S, LONGEST_LEAD_S = 0.02, 0.15  # of what lies ready where it is played
SPARE_S = 0.003
REMEMBERED = 6  # seconds in which the newest sample's age is judged, by the second largest of each: once is by chance
OLDEST_S = 0.15  # what comes later than this is missing, not late

TAPS, KAISER, DEGREE = 32, 8.0, 7  # of what reads between samples: up to 18 kHz nothing else is heard


class DelayLine:
    """``hear`` on one thread, ``take`` on another. ``delay_s`` may be set at any time.

    drop_outs  how often samples were not there when they were needed
    """

    def __init__(self, delay_s: float = 0.0) -> None:
        self.delay_s, self.drop_outs = delay_s, 0
        self._lock = threading.Lock()
        self._ring = np.zeros(round(LARGEST_DELAY_S * RATE_HZ), np.float32)
        self._end, self._end_s = 0, 0.0  # number and time of the next sample that will be heard
        self._deviations_s: deque[float] = deque(maxlen=JUDGED)  # of the blocks' times from that
        self._blocks = 0  # since the clock was set
        self._next: float | None = None  # number of the sample that is taken next; mostly between two samples
        self._error = 0.0  # of it, in samples; positive = it should be a later one
        self._ages_s: deque[float] = deque(
            [0.0], REMEMBERED
        )  # of the newest sample when samples are taken: each second's largest
        self._second = 0  # which that is
        self._missing = True

    def hear(self, block: Floats, time_s: float) -> None:
        """(N,) samples, the first of which was heard at ``time_s``, as well as that is known."""
        with self._lock:
            self._set_clock(time_s)
            self._append(block)
            self._end_s += len(block) / RATE_HZ

    def begin(self) -> None:
        """What is taken next has nothing to do with what was taken before."""
        with self._lock:
            self._next, self._error, self._missing = None, 0.0, True

    @property
    def lead_s(self) -> float:
        """How much should lie ready where it is played: as much as has been heard in time. What takes its time then is not
        missed."""
        return min(max(self.delay_s - self._age_s - SPARE_S, SHORTEST_LEAD_S), LONGEST_LEAD_S)

    def take(self, count: int, now_s: float, in_s: float) -> Floats:
        """(count,) the next samples, asked for at ``now_s``; the first is heard ``in_s`` later. Silence where there are none."""
        with self._lock:
            if not self._blocks:
                return np.zeros(count, np.float32)
            wanted = self._wanted(count, now_s, in_s)
            if self._next is None:
                self._next = wanted
            self._error += (wanted - self._next - self._error) * min(1.0, count / RATE_HZ / SMOOTHED_S)
            if abs(self._error) > JUMP_S * RATE_HZ or (not self._there(self._next, count) and self._there(wanted, count)):
                taken = cross_fade(self._read(self._next, count), self._read(wanted, count))
                self._next, self._error = wanted + count, 0.0
            else:
                ratio = 1 + float(np.clip(self._error / RATE_HZ / APPROACHED_S, -FASTEST, FASTEST))
                taken = self._read(self._next, count, ratio)
                self._next += ratio * count
            return self._faded(taken)

    def _set_clock(self, time_s: float) -> None:
        """Brings ``_end_s`` nearer to a block's time. Far away comes what follows lost samples: silence takes their place."""
        if not self._blocks:
            self._end_s = time_s
        self._blocks += 1
        deviation_s = time_s - self._end_s
        self._deviations_s.append(deviation_s)
        judged = len(self._deviations_s) == JUDGED
        least_s, most_s = min(self._deviations_s), max(self._deviations_s)
        if deviation_s > GAP_S or (judged and least_s > CLOCK_JUMP_S):
            gap_s = deviation_s if deviation_s > GAP_S else least_s
            self._append(np.zeros(min(round(gap_s * RATE_HZ), len(self._ring)), np.float32))
            self._restart_clock(gap_s)
        elif judged and most_s < -CLOCK_JUMP_S:
            self._restart_clock(most_s)
        else:
            share = max(STEADY, 1 / self._blocks)
            self._end_s += share * float(np.clip(deviation_s, -CLOCK_JUMP_S, CLOCK_JUMP_S))

    def _restart_clock(self, shift_s: float) -> None:
        self._end_s += shift_s
        self._blocks = 1
        self._deviations_s.clear()
        self._ages_s.clear()
        self._ages_s.append(0.0)

    @property
    def _age_s(self) -> float:
        """How old the newest sample is, at worst."""
        return sorted(self._ages_s)[-2:][0]

    def _wanted(self, count: int, now_s: float, in_s: float) -> float:
        """The number of the sample to be heard in ``in_s``: ``delay_s`` old, or as young as can be."""
        if int(now_s) != self._second:
            self._second = int(now_s)
            self._ages_s.append(0.0)
        age_s = now_s - self._end_s
        if age_s < OLDEST_S:
            self._ages_s[-1] = max(self._ages_s[-1], age_s)
        least_s = self._age_s + in_s + (count + TAPS) / RATE_HZ + SPARE_S
        return self._end - (self._end_s - now_s - in_s + max(self.delay_s, least_s)) * RATE_HZ

    def _there(self, start: float, count: int) -> bool:
        """Whether so many samples from number ``start`` on have been heard."""
        return start + count + TAPS <= self._end

    def _read(self, start: float, count: int, ratio: float = 1.0) -> Floats:
        """(count,) from number ``start`` on, ``ratio`` samples apart."""
        first = math.floor(start)
        positions = start - first + ratio * np.arange(count)
        return interpolated(self._samples(first - TAPS // 2 + 1, int(positions[-1]) + TAPS), positions)

    def _samples(self, first: int, count: int) -> Floats:
        """Those with the numbers from ``first`` on; those that are the last so far fade, and then there is silence."""
        numbers = first + np.arange(count)
        samples = np.where(numbers >= max(0, self._end - len(self._ring)), self._ring[numbers % len(self._ring)], np.float32(0))
        lacking = first + count > self._end
        if lacking:
            samples *= np.clip((self._end - numbers) / (FADE_S * RATE_HZ), 0, 1).astype(np.float32)
            self.drop_outs += not self._missing
        self._lacking = lacking
        return samples

    def _append(self, block: Floats) -> None:
        self._ring[(self._end + np.arange(len(block))) % len(self._ring)] = block
        self._end += len(block)

    def _faded(self, taken: Floats) -> Floats:
        """The samples, fading in where those before were missing."""
        was_missing, self._missing = self._missing, self._lacking
        return cross_fade(np.zeros_like(taken), taken) if was_missing and not self._missing else taken


@functools.cache
def kernel_polynomials() -> Floats:
    """(TAPS, DEGREE + 1) the windowed sinc between two samples, each tap as a polynomial of the position between them, −½…½;
    the highest power first (a Farrow structure)."""
    positions = 0.5 * np.cos(np.pi * (np.arange(64) + 0.5) / 64)  # Chebyshev's
    return np.asarray(np.polyfit(positions, windowed_sinc(positions + 0.5), DEGREE).T, np.float32)


def windowed_sinc(fractions: Floats) -> Floats:
    """(N, TAPS) what each sample around a position weighs; tap TAPS / 2 − 1 is the sample before it, by a fraction of one."""
    distance = np.arange(TAPS) - TAPS // 2 + 1 - fractions[:, None]
    window = np.i0(KAISER * np.sqrt(np.maximum(0.0, 1 - (distance / (TAPS // 2)) ** 2)))
    weights = np.sinc(distance) * window
    return np.asarray(weights / weights.sum(1, keepdims=True))


def interpolated(samples: Floats, positions: Floats) -> Floats:
    """(N,) the sound between the samples; position 0 is sample TAPS / 2 − 1, and as many lie after the last one."""
    whole = positions.astype(np.int64)
    between = (positions - whole - 0.5).astype(np.float32)
    powers = np.lib.stride_tricks.sliding_window_view(samples, TAPS)[whole] @ kernel_polynomials()
    sound = powers[:, 0]
    for power in powers.T[1:]:
        sound = sound * between + power
    return np.asarray(sound, np.float32)


def cross_fade(before: Floats, after: Floats) -> Floats:
    """(N,) from one sound to the other, within ``FADE_S`` or all of it."""
    rise = np.clip(np.arange(len(before), dtype=np.float32) / min(FADE_S * RATE_HZ, len(before)), 0, 1)
    share = 0.5 - 0.5 * np.cos(np.pi * rise)
    return np.asarray(before + share * (after - before), np.float32)
