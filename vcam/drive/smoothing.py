"""One-Euro filter (Casiez, Roussel and Vogel 2012): steady at rest, quick in motion; per channel, times in seconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.values import Floats


@dataclass(frozen=True)
class Smoothing:
    """rest_hz: cut-off at rest, lower = steadier. speed_hz: how much of it is added per unit of speed [Hz per unit/s]."""

    rest_hz: float
    speed_hz: float


class OneEuro:
    """Smooths vectors whose times may be unevenly spaced."""

    SPEED_HZ = 2.0  # cut-off for the speed itself; the paper takes 1, faces are quicker than mice

    def __init__(self, rest_hz: Floats, speed_hz: Floats) -> None:
        """Both (N,): ``Smoothing`` for each channel."""
        self._rest_hz, self._speed_hz = rest_hz, speed_hz
        self.reset()

    def configure(self, rest_hz: Floats, speed_hz: Floats) -> None:
        """Changes the cut-offs, both (N,); the past stays."""
        self._rest_hz, self._speed_hz = rest_hz, speed_hz

    def reset(self) -> None:
        """Forgets the past: the next value passes as it is."""
        self._time_s = 0.0
        self._value: Floats | None = None
        self._speed = np.zeros_like(self._rest_hz)

    def __call__(self, value: Floats, time_s: float) -> Floats:
        """The smoothed value (N,) at ``time_s``; a time that does not advance gives the last one again."""
        if self._value is None:
            self._value, self._time_s = value.copy(), time_s
            return self._value
        step_s = time_s - self._time_s
        if step_s <= 0:
            return self._value
        speed = (value - self._value) / step_s
        self._speed = self._speed + _gain(np.float32(self.SPEED_HZ), step_s) * (speed - self._speed)
        cut_off_hz = self._rest_hz + self._speed_hz * np.abs(self._speed)
        self._value = (self._value + _gain(cut_off_hz, step_s) * (value - self._value)).astype(np.float32)
        self._time_s = time_s
        return self._value


def _gain(cut_off_hz: Floats | np.float32, step_s: float) -> Floats:
    return np.asarray(1 / (1 + 1 / (2 * np.pi * cut_off_hz * step_s)), np.float32)
