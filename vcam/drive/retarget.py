"""The driver's motion on the portrait's head: z_des from z_s, the driver and its neutral (paper section 3.1, made relative)."""

from __future__ import annotations

import numpy as np

from engine.values import BLINKS, EXPRESSION_NAMES, Coefficients, Floats
from vcam.drive.gains import POSE_SIGNS, Gains, Limits, mirrored_expression, mirrored_gaze
from vcam.drive.neutral import Neutral, blinks
from vcam.motion import LARGEST_GAZE

LARGEST_SHIFT_DM = np.array([0.55, 0.4, 1.2], np.float32)
LARGEST_EXPRESSION = 1.3  # a smile on a face that smiles already
WIDEST = -0.25  # blink coefficient of eyes that open wider than at rest
SOFT = 0.7  # share of a limit that is kept exactly; the rest is approached ever more slowly


def retarget(
    source: Coefficients, driver: Coefficients, neutral: Neutral, gains: Gains, limits: Limits, *, mirror: bool = False
) -> Coefficients:
    """z_des = {α_s, β, δ_s, γ_s, p, τ}: the portrait's own coefficients plus the driver's departure from neutral.

    ``mirror``: the portrait's left moves as the driver's right.
    """
    return Coefficients(
        source.identity,
        _expression(source, driver, neutral, gains, limits, mirror=mirror),
        source.texture,
        source.illumination,
        _pose(source, driver, neutral, gains, limits, mirror=mirror),
        _gaze(source, driver, neutral, gains.gaze, limits.gaze, mirror=mirror),
    )


def limit(value: Floats, largest: Floats | float) -> Floats:
    """Keeps small values and lets large ones approach ``largest`` smoothly, in either direction."""
    size = np.abs(value) / largest
    soft = SOFT + (1 - SOFT) * np.tanh((size - SOFT) / (1 - SOFT))
    return np.asarray(np.sign(value) * np.where(size > SOFT, soft, size) * largest, np.float32)


def _pose(source: Coefficients, driver: Coefficients, neutral: Neutral, gains: Gains, limits: Limits, *, mirror: bool) -> Floats:
    """Angles add up one by one, so that a nod stays a nod on a head that looks aside in its portrait."""
    change: Floats = (driver.pose - neutral.pose) * (POSE_SIGNS if mirror else np.ones_like(POSE_SIGNS))
    turn = limit(change[:3] * gains.turn(), limits.turn_rad())
    shift = limit(change[3:] * gains.translation, LARGEST_SHIFT_DM)
    return np.asarray(source.pose + np.concatenate([turn, shift]), np.float32)


def _expression(
    source: Coefficients, driver: Coefficients, neutral: Neutral, gains: Gains, limits: Limits, *, mirror: bool
) -> Floats:
    largest = limits.expression()
    change: Floats = np.clip((driver.expression - neutral.expression) * gains.expression(), -largest, largest)
    # eyelids go from the portrait's own opening to closed as the driver's do
    rest = blinks(neutral.expression)
    closing = (blinks(driver.expression) - rest) / np.maximum(neutral.closed - rest, 0.1)
    closing = np.minimum(closing * gains.eyes, limits.eyes)
    if mirror:
        change, closing = mirrored_expression(change), closing[::-1]
    out = limit(np.maximum(source.expression + change, 0), LARGEST_EXPRESSION)
    own = blinks(source.expression)
    out[BLINKS] = np.clip(own + closing * (1 - own), WIDEST, 1)
    out[len(EXPRESSION_NAMES) :] = source.expression[len(EXPRESSION_NAMES) :] + change[len(EXPRESSION_NAMES) :]
    return np.asarray(out, np.float32)


def _gaze(source: Coefficients, driver: Coefficients, neutral: Neutral, gain: float, largest: float, *, mirror: bool) -> Floats:
    change: Floats = (driver.gaze - neutral.gaze) * gain
    if mirror:
        change = mirrored_gaze(change)
    return np.clip(source.gaze + limit(change, max(largest, 1e-3)), -LARGEST_GAZE, LARGEST_GAZE).astype(np.float32)
