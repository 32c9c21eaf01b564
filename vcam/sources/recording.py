"""Recorded motion: a ``.z`` file, or the bundled one. No person's picture is in a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import AssetError, InputError
from engine.files import user_path
from engine.recording import Recording, read_recording
from engine.values import Coefficients, Floats
from vcam.interfaces import Clock
from vcam.motion import Observation, Priority, with_motion
from vcam.sources.coefficients import CoefficientSource

if TYPE_CHECKING:
    from vcam.build import Builder

DEMO = Path(__file__).parents[2] / "engine" / "assets" / "demo_drive.z"
CROSS_S = 0.5  # cross-over from the end to the start, so that the loop does not jump


def open_source(builder: Builder, argument: str) -> RecordingSource:
    """The recording ``argument``, or the bundled one. Raises InputError, AssetError."""
    if not argument:
        return RecordingSource("recording", read_demo(), builder.clock)
    path = user_path(argument)
    recording = read_recording(path)
    for note in recording.notes:
        builder.messages.say(note)
    if not recording.same_head:
        builder.messages.say(f"The recording {path} was made with another head model; its unnamed expressions are left out.")
    return RecordingSource(path.name, recording, builder.clock)


def read_demo() -> Recording:
    """The bundled recording; raises AssetError."""
    try:
        recording = read_recording(DEMO)
    except InputError as error:
        raise AssetError(f"The bundled recording is missing or damaged ({error}); install the program again.") from error
    if recording.notes:
        raise AssetError(f"The bundled recording is damaged ({recording.notes[0]}); install the program again.")
    return recording


class RecordingSource(CoefficientSource):
    """Plays a recording, in a loop or once; it begins at the first observation.

    Between two recorded moments the motion is interpolated; where nobody was seen, nobody is seen.
    """

    def __init__(self, name: str, recording: Recording, clock: Clock, *, priority: Priority = Priority.RECORDING) -> None:
        """As a ``Priority.ONE_SHOT`` it plays once."""
        super().__init__(name)
        self.priority = priority
        self.finished = False
        self._recording, self._clock = recording, clock
        self._start_s: float | None = None

    def observe(self) -> Observation:
        """The recorded motion of this moment."""
        return self.at(self._clock.now())

    def at(self, time_s: float) -> Observation:
        """The recorded motion at ``time_s`` of the clock."""
        self._start_s = time_s if self._start_s is None else self._start_s
        played_s, length_s = time_s - self._start_s, float(self._recording.times_s[-1])
        if self.priority is Priority.ONE_SHOT and played_s > length_s:
            self.finished = True
            return Observation(None, time_s)
        played_s %= length_s
        after = self._after(played_s)
        if not self._recording.face[after - 1]:
            return Observation(None, time_s)
        driver = with_motion(Coefficients.neutral(), self._motion(played_s, after, length_s))
        relative, number = bool(self._recording.relative[after - 1]), int(self._recording.driver[after - 1])
        return Observation(driver, time_s, relative=relative, driver_number=number)

    def _after(self, played_s: float) -> int:
        """The number of the first moment later than ``played_s``, at least 1."""
        times = self._recording.times_s
        return int(np.clip(np.searchsorted(times, played_s, side="right"), 1, len(times) - 1))

    def _motion(self, played_s: float, after: int, length_s: float) -> Floats:
        """(74,) between the moments around ``played_s``; at the end of a loop it goes over to the first."""
        recorded = self._recording
        start, end = recorded.times_s[after - 1], recorded.times_s[after]
        share = np.float32((played_s - start) / (end - start)) if recorded.face[after] else np.float32(0)
        now = recorded.motion[after - 1] + share * (recorded.motion[after] - recorded.motion[after - 1])
        cross_s = min(CROSS_S, length_s / 4)
        to_first = np.float32(max(0.0, 1 - (length_s - played_s) / cross_s))
        if self.priority is Priority.ONE_SHOT or not recorded.face[0]:
            return np.asarray(now, np.float32)
        return np.asarray(now + to_first * (recorded.motion[0] - now), np.float32)
