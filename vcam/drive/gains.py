"""How much of the driver's motion the portrait makes: strengths and limits of each group of channels, and left for right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.values import EXPRESSION, EXPRESSION_NAMES, Floats

NAMED = len(EXPRESSION_NAMES)


def group(prefixes: tuple[str, ...]) -> list[int]:
    """Where the expressions lie in β whose names begin so."""
    return [index for index, name in enumerate(EXPRESSION_NAMES) if name.startswith(prefixes)]


BROWS, EYES = group(("brow",)), group(("eye",))
MOUTH = [index for index in range(EXPRESSION) if index not in {*BROWS, *EYES}]  # with jaw, cheeks, nose and what has no name


@dataclass(frozen=True)
class Gains:
    """Strengths, 1 = all of the driver's motion. ``translation``: of the head's place."""

    pitch: float = 1.0
    yaw: float = 1.0
    roll: float = 1.0
    translation: float = 0.7
    brows: float = 1.0
    eyes: float = 1.0
    mouth: float = 1.0
    gaze: float = 1.0

    def turn(self) -> Floats:
        """(3,) of pitch, yaw and roll."""
        return np.array([self.pitch, self.yaw, self.roll], np.float32)

    def expression(self) -> Floats:
        """(64,) of β."""
        return by_group(self.brows, self.eyes, self.mouth)


@dataclass(frozen=True)
class Limits:
    """The farthest that the portrait goes from its own rest. Angles in radians, gaze as a sine, expressions as scores: 1 = as far
    as the driver's go."""

    pitch_rad: float = float(np.radians(30.0))
    yaw_rad: float = float(np.radians(42.0))
    roll_rad: float = float(np.radians(35.0))
    brows: float = 1.0
    eyes: float = 1.0
    mouth: float = 1.0
    gaze: float = 0.5

    def turn_rad(self) -> Floats:
        """(3,) of pitch, yaw and roll; never 0."""
        return np.maximum(np.array([self.pitch_rad, self.yaw_rad, self.roll_rad], np.float32), 1e-3)

    def expression(self) -> Floats:
        """(64,) of β."""
        values = by_group(self.brows, self.eyes, self.mouth)
        return np.where(values < 1, values, np.float32(np.inf))


def by_group(brows: float, eyes: float, mouth: float) -> Floats:
    """(64,) with a value for each group."""
    values = np.full(EXPRESSION, mouth, np.float32)
    values[BROWS], values[EYES] = brows, eyes
    return values


def other_side(name: str) -> str:
    """The name of the expression that a mirror shows."""
    for side, other in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(side):
            return name.removesuffix(side) + other
    return name


SWAPPED = [*(EXPRESSION_NAMES.index(other_side(name)) for name in EXPRESSION_NAMES), *range(NAMED, EXPRESSION)]
POSE_SIGNS = np.array([1, -1, -1, -1, 1, 1], np.float32)  # pitch, yaw, roll, x, y, z in a mirror


def mirrored_expression(change: Floats) -> Floats:
    """(64,) with left and right changed. What has no name stays."""
    return change[SWAPPED]


def mirrored_gaze(change: Floats) -> Floats:
    """(4,) with left and right changed."""
    left_x, left_y, right_x, right_y = change
    return np.array([-right_x, right_y, -left_x, left_y], np.float32)
