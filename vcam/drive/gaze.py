"""Calibrating the gaze: the driver looks at nine dots in turn, and what the tracker says then is mapped to where they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.conventions import rotation
from engine.errors import InputError
from engine.values import Coefficients, Floats

SETTLE_S = 0.4  # eyes need so long to get to a dot
LEAST_DOTS, LEAST_SAMPLES = 7, 4
WORST_DEG = 6.0  # root mean square; farther off, the driver looked elsewhere
LEAST_GAIN, MOST_GAIN = 0.25, 5.0  # what trackers are off by


@dataclass(frozen=True)
class GazeMap:
    """Corrected gaze of measured gaze: ``matrix`` (2, 3) · (x, y, 1), for each eye."""

    matrix: Floats

    def corrected(self, gaze: Floats) -> Floats:
        """(4,) τ → (4,) τ."""
        eyes = gaze.reshape(2, 2)
        return np.asarray(np.clip(eyes @ self.matrix[:, :2].T + self.matrix[:, 2], -1, 1).reshape(4), np.float32)


class GazeCalibration:
    """``look`` when the next dot is shown, ``add`` what is seen meanwhile, ``result`` at the end."""

    def __init__(self) -> None:
        self._dots: list[tuple[Floats, list[tuple[Floats, Floats]]]] = []  # direction; measured and wanted gaze of each sample
        self._since_s = 0.0

    def look(self, x: float, y: float, time_s: float) -> None:
        """From now on a dot is looked at in this direction from the face: sines, x toward the person's left, y up, against the
        camera's axis. Raises InputError."""
        length = float(np.hypot(x, y))
        if not length < 0.9:
            raise InputError(f"A dot must be before the driver, got {x:.2f}, {y:.2f}.")
        self._dots.append((np.array([x, y, np.sqrt(1 - length * length)]), []))
        self._since_s = time_s

    def add(self, driver: Coefficients, time_s: float) -> None:
        """The driver, not corrected; a head that turns toward the dot is reckoned with."""
        if not self._dots or time_s - self._since_s < SETTLE_S:
            return
        direction, samples = self._dots[-1]
        wanted = rotation(driver.pose[:3]).T @ direction
        samples.append((driver.gaze.reshape(2, 2).mean(axis=0), wanted[:2]))

    def result(self) -> tuple[GazeMap, float]:
        """The map, and how far off the dots it is [degrees, root mean square]. Raises InputError when it is not to be trusted."""
        seen = [np.median(np.array(samples), axis=0) for _, samples in self._dots if len(samples) >= LEAST_SAMPLES]
        if len(seen) < LEAST_DOTS:
            raise InputError(f"Your eyes were seen at {len(seen)} of {len(self._dots)} dots; look at each, then try again.")
        measured, wanted = np.array(seen)[:, 0], np.array(seen)[:, 1]
        known = np.column_stack([measured, np.ones(len(measured))])
        matrix = np.linalg.lstsq(known, wanted, rcond=None)[0].T
        off_deg = float(np.degrees(np.sqrt(((known @ matrix.T - wanted) ** 2).sum(axis=1).mean())))
        gains = np.linalg.svd(matrix[:, :2], compute_uv=False)
        if off_deg > WORST_DEG or gains[1] < LEAST_GAIN or gains[0] > MOST_GAIN:
            raise InputError("Your eyes did not follow the dots; sit so that the webcam sees them well, then try again.")
        return GazeMap(matrix.astype(np.float32)), off_deg
