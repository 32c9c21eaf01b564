"""Life without a driver: breathing and an occasional blink, the same for the same moment, so that it can be tested."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.values import BLINKS, Coefficients

BREATH_S = 4.2
BREATH_PITCH_RAD, BREATH_SHIFT_DM, SWAY_RAD = np.radians(0.5), 0.012, np.radians(0.7)
SWAY_S = 9.7
BLINK_EVERY_S, BLINK_LASTS_S = 4.0, 0.28


@dataclass(frozen=True)
class IdleLife:
    """Strengths of breathing and swaying, 1 = as tuned, and whether the eyes blink."""

    breath: float = 1.0
    sway: float = 1.0
    blink: bool = True


def alive(source: Coefficients, time_s: float, life: IdleLife = IdleLife()) -> Coefficients:
    """The portrait at rest at ``time_s``, breathing, swaying a little and blinking."""
    pose, expression = source.pose.copy(), source.expression.copy()
    breath = life.breath * np.sin(2 * np.pi * time_s / BREATH_S)
    pose[0] += BREATH_PITCH_RAD * breath
    pose[1] += life.sway * SWAY_RAD * np.sin(2 * np.pi * time_s / SWAY_S)
    pose[4] += BREATH_SHIFT_DM * breath
    if life.blink:
        expression[BLINKS] += (1 - expression[BLINKS]) * _lid(time_s)
    return replace(source, pose=pose, expression=expression)


def _lid(time_s: float) -> float:
    """0…1, how far the lids are closed: one blink per period, at a moment that differs from period to period."""
    period = int(time_s // BLINK_EVERY_S)
    start = np.random.default_rng(period).uniform(0, BLINK_EVERY_S - BLINK_LASTS_S)
    phase = (time_s - period * BLINK_EVERY_S - start) / BLINK_LASTS_S
    return float(np.sin(np.pi * phase) ** 2) if 0 < phase < 1 else 0.0
