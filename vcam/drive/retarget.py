"""The driver's motion on the portrait's head: z_des from z_s, the driver and its neutral (paper section 3.1, made relative)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.values import BLINKS, EXPRESSION_NAMES, Coefficients, Floats
from vcam.drive.neutral import Neutral, blinks
from vcam.motion import LARGEST_GAZE

LARGEST_TURN_RAD = np.radians([30.0, 42.0, 35.0]).astype(np.float32)  # pitch, yaw, roll away from the portrait
LARGEST_SHIFT_DM = np.array([0.55, 0.4, 1.2], np.float32)
LARGEST_EXPRESSION = 1.3  # a smile on a face that smiles already
WIDEST = -0.25  # blink coefficient of eyes that open wider than at rest
LARGEST_GAZE_CHANGE = 0.5  # sine of the eye's rotation away from the portrait's
SOFT = 0.7  # share of a limit that is kept exactly; the rest is approached ever more slowly


@dataclass(frozen=True)
class Gains:
    """How much of the driver's motion the portrait makes, 1 = all."""

    rotation: float = 1.0
    translation: float = 0.7
    expression: float = 1.0
    gaze: float = 1.0


def retarget(source: Coefficients, driver: Coefficients, neutral: Neutral, gains: Gains) -> Coefficients:
    """z_des = {α_s, β, δ_s, γ_s, p, τ}: the portrait's own coefficients plus the driver's departure from neutral."""
    return Coefficients(
        source.identity,
        _expression(source, driver, neutral, gains.expression),
        source.texture,
        source.illumination,
        _pose(source, driver, neutral, gains),
        _gaze(source, driver, neutral, gains.gaze),
    )


def limit(value: Floats, largest: Floats | float) -> Floats:
    """Keeps small values and lets large ones approach ``largest`` smoothly, in either direction."""
    size = np.abs(value) / largest
    soft = SOFT + (1 - SOFT) * np.tanh((size - SOFT) / (1 - SOFT))
    return np.asarray(np.sign(value) * np.where(size > SOFT, soft, size) * largest, np.float32)


def _pose(source: Coefficients, driver: Coefficients, neutral: Neutral, gains: Gains) -> Floats:
    """Angles add up one by one, so that a nod stays a nod on a head that looks aside in its portrait."""
    change = driver.pose - neutral.pose
    turn = limit(change[:3] * gains.rotation, LARGEST_TURN_RAD)
    shift = limit(change[3:] * gains.translation, LARGEST_SHIFT_DM)
    return np.asarray(source.pose + np.concatenate([turn, shift]), np.float32)


def _expression(source: Coefficients, driver: Coefficients, neutral: Neutral, gain: float) -> Floats:
    change = (driver.expression - neutral.expression) * gain
    out = limit(np.maximum(source.expression + change, 0), LARGEST_EXPRESSION)
    # eyelids go from the portrait's own opening to closed as the driver's do
    rest = blinks(neutral.expression)
    closing = (blinks(driver.expression) - rest) / np.maximum(neutral.closed - rest, 0.1)
    own = blinks(source.expression)
    out[BLINKS] = np.clip(own + closing * (1 - own), WIDEST, 1)
    out[len(EXPRESSION_NAMES) :] = source.expression[len(EXPRESSION_NAMES) :] + change[len(EXPRESSION_NAMES) :]
    return np.asarray(out, np.float32)


def _gaze(source: Coefficients, driver: Coefficients, neutral: Neutral, gain: float) -> Floats:
    gaze = source.gaze + limit((driver.gaze - neutral.gaze) * gain, LARGEST_GAZE_CHANGE)
    return np.clip(gaze, -LARGEST_GAZE, LARGEST_GAZE).astype(np.float32)
