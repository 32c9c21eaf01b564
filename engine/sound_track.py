"""Blocks of sound that come with their times, put together to one track without gaps."""

from __future__ import annotations

import numpy as np

from engine.values import Floats

LARGEST_STEP_S = 0.1  # off by more, sound is missing or comes twice; by less, two clocks have drifted apart
TOLERANCE_S = 0.005  # a track that is off by less is left as it is
SMOOTHING = 0.02  # share of a block's own offset: times of blocks jitter by several milliseconds
STRETCH = 1 / 240  # of a block's length, by which it becomes longer or shorter: a fourteenth of a semitone


class SoundTrack:
    """``add`` and ``fill`` give the samples to append; the track begins at ``start_s``.

    The device counts its samples by a clock of its own, which drifts from that of the times by some hundred millionths: blocks
    are lengthened or shortened a little until the track is in time again. Missing sound becomes silence, what comes twice is
    left out.
    """

    def __init__(self, rate_hz: int, start_s: float) -> None:
        self._rate_hz, self._start_s = rate_hz, start_s
        self._offset = 0.0  # of late blocks from the track's end, smoothed [samples]
        self.length = 0  # samples

    def add(self, block: Floats, time_s: float) -> Floats:
        """For a block (N,) whose first sample belongs to ``time_s``: (M,)."""
        offset = self.samples_until(time_s) - self.length
        if self.length == 0 or abs(offset) > LARGEST_STEP_S * self._rate_hz:
            self._offset = 0.0
            missing = max(round(offset), 0)
            return self._appended(np.concatenate([np.zeros(missing, np.float32), block[max(round(-offset), 0) :]]))
        self._offset += SMOOTHING * (offset - self._offset)
        if abs(self._offset) <= TOLERANCE_S * self._rate_hz:
            return self._appended(block)
        longer = len(block) + round(np.copysign(STRETCH * len(block), self._offset))
        where = np.linspace(0, len(block) - 1, longer)
        return self._appended(np.interp(where, np.arange(len(block)), block).astype(np.float32))

    def fill(self, time_s: float) -> Floats:
        """Silence up to ``time_s``; empty where the track goes further."""
        return self._appended(np.zeros(max(round(self.samples_until(time_s)) - self.length, 0), np.float32))

    def samples_until(self, time_s: float) -> float:
        """How long a track is that goes to ``time_s``."""
        return (time_s - self._start_s) * self._rate_hz

    def _appended(self, samples: Floats) -> Floats:
        self.length += len(samples)
        return samples
