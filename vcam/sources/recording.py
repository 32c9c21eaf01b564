"""Recorded motion: coefficients that move the avatar when there is no webcam. No person's picture is in a recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import AssetError
from engine.values import COEFFICIENTS, Coefficients, Floats
from vcam.interfaces import Clock
from vcam.motion import Observation
from vcam.sources.coefficients import CoefficientSource

if TYPE_CHECKING:
    from vcam.build import Builder

DEMO = Path(__file__).parents[2] / "engine" / "assets" / "demo_drive.npz"
REST_S = 0.5  # cross-over from the end to the start, so that the loop does not jump


def open_source(builder: Builder, argument: str) -> RecordingSource:
    """The bundled recording."""
    del argument
    return RecordingSource("recording", read_recording(), builder.clock)


@dataclass(frozen=True)
class Recording:
    """``times_s`` (N,) rising from 0; ``z`` (N, 261) the driver's departures from rest."""

    times_s: Floats
    z: Floats

    def at(self, time_s: float) -> Floats:
        """(261,) at ``time_s``, interpolated, looped."""
        time_s %= float(self.times_s[-1])
        after = int(np.clip(np.searchsorted(self.times_s, time_s), 1, len(self.times_s) - 1))
        start, end = self.times_s[after - 1], self.times_s[after]
        share = np.float32((time_s - start) / (end - start))
        now: Floats = self.z[after - 1] + share * (self.z[after] - self.z[after - 1])
        to_rest = min(1.0, time_s / REST_S, (float(self.times_s[-1]) - time_s) / REST_S)
        return now * np.float32(to_rest)


def read_recording(path: Path = DEMO) -> Recording:
    """Raises AssetError unless the file holds a recording."""
    try:
        with np.load(path, allow_pickle=False) as file:
            recording = Recording(file["times_s"].astype(np.float32), file["z"].astype(np.float32))
    except (OSError, KeyError, ValueError) as error:
        raise AssetError(f"The recording {path} is missing or damaged; install the program again.") from error
    times, z = recording.times_s, recording.z
    if z.shape != (len(times), COEFFICIENTS) or len(times) < 2 or times[0] != 0 or not (np.diff(times) > 0).all():
        raise AssetError(f"The recording {path} must hold rising times from 0 and z of shape (N, {COEFFICIENTS}), got {z.shape}.")
    return recording


class RecordingSource(CoefficientSource):
    """Plays a recording in a loop; it begins at the first observation."""

    def __init__(self, name: str, recording: Recording, clock: Clock) -> None:
        super().__init__(name)
        self._recording, self._clock = recording, clock
        self._start_s: float | None = None

    def observe(self) -> Observation:
        """The recorded motion of this moment."""
        return self.at(self._clock.now())

    def at(self, time_s: float) -> Observation:
        """The recorded motion at ``time_s`` of the clock."""
        self._start_s = time_s if self._start_s is None else self._start_s
        change = Coefficients.from_vector(self._recording.at(time_s - self._start_s))
        return Observation(change, time_s, relative=True)
