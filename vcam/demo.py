"""The demo drive: recorded coefficients that move the avatar when there is no webcam. No person's picture is in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.errors import AssetError
from engine.values import COEFFICIENTS, EXPRESSION_NAMES, Coefficients, Face, Floats, Picture
from vcam.seams import State

RECORDING = Path(__file__).parents[1] / "engine" / "assets" / "demo_drive.npz"
REST_S = 0.5  # cross-over from the end to the start, so that the loop does not jump


@dataclass(frozen=True)
class DemoMotion:
    """As ``vcam.drive.Motion``."""

    z: Coefficients
    state: State


@dataclass(frozen=True)
class Recording:
    """``times_s`` (N,) rising from 0; ``z`` (N, 261) the driver's departure from neutral."""

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


def read_recording(path: Path = RECORDING) -> Recording:
    """Raises AssetError unless the file holds a recording."""
    try:
        with np.load(path, allow_pickle=False) as file:
            recording = Recording(file["times_s"].astype(np.float32), file["z"].astype(np.float32))
    except (OSError, KeyError, ValueError) as error:
        raise AssetError(f"The demo drive {path} is missing or damaged; install the program again.") from error
    times, z = recording.times_s, recording.z
    if z.shape != (len(times), COEFFICIENTS) or len(times) < 2 or times[0] != 0 or not (np.diff(times) > 0).all():
        raise AssetError(
            f"The demo drive {path} must hold rising times from 0 and z of shape (N, {COEFFICIENTS}), got {z.shape}."
        )
    return recording


class DemoDrive:
    """Drives a portrait from a recording; faces are ignored."""

    def __init__(self, source: Coefficients, recording: Recording) -> None:
        self._source, self._recording = source, recording
        self._start_s: float | None = None

    def use(self, source: Coefficients) -> None:
        """Changes the portrait."""
        self._source = source

    def resume(self, time_s: float) -> None:
        """The recording has no rests."""

    def recalibrate(self) -> None:
        """Nobody is there to be measured anew."""

    def step(self, face: Face | None, time_s: float, image: Picture | None = None) -> DemoMotion:
        """The motion at ``time_s``."""
        self._start_s = time_s if self._start_s is None else self._start_s
        change = Coefficients.from_vector(self._recording.at(time_s - self._start_s))
        return DemoMotion(moved(self._source, change), "driving")


def moved(source: Coefficients, change: Coefficients) -> Coefficients:
    """The portrait's coefficients plus a change of expression, pose and gaze; blend shapes stay in 0…1."""
    expression = source.expression + change.expression
    named = len(EXPRESSION_NAMES)
    expression[:named] = np.clip(expression[:named], 0, 1)
    return replace(
        source, expression=expression, pose=source.pose + change.pose, gaze=np.clip(source.gaze + change.gaze, -0.6, 0.6)
    )
