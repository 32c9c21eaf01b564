"""What passes from the motion sources to the renderer: numbers only. No picture fits in here.

```
motion source ── Observation ──▶ Drive ── MotionFrame ──▶ renderer
```
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Literal

import numpy as np

from engine.values import EXPRESSION_NAMES, Coefficients, Floats

State = Literal["waiting", "driving", "holding", "idle", "privacy"]
"""waiting: no driver was seen yet · driving · holding: the driver was lost a moment ago · idle: breathing and blinking ·
privacy: the driver has been away for so long that the privacy card is shown."""


class Priority(IntEnum):
    """Which source moves the avatar when several could: the highest that sees somebody."""

    IDLE = 0
    RECORDING = 1
    WEBCAM = 2
    PHONE = 3
    ONE_SHOT = 4


LARGEST_GAZE = 0.6  # sine of an eye's rotation, the most that is asked of a portrait


@dataclass(frozen=True)
class Observation:
    """What a motion source knows of the driver at one moment.

    driver      z of the driver's face; None = there is no face
    time_s      the moment, on the source's clock
    captured_s  when the picture behind it was captured; None when there was none
    relative    ``driver`` holds departures from the driver's rest (recordings) instead of a face as it is
    driver_number  rises when the driver is another one than before, whose rest is not known yet
    """

    driver: Coefficients | None
    time_s: float
    captured_s: float | None = None
    relative: bool = False
    driver_number: int = 0


@dataclass(frozen=True)
class MotionFrame:
    """What an avatar is to show at one moment.

    z           z_des of the avatar ``avatar_id``
    state       why it is what it is
    time_s      the moment, on the source's clock
    captured_s  as of ``Observation``; None also where the motion was predicted or nobody was seen
    source      name of the motion source
    avatar_id   the avatar that z belongs to
    """

    z: Coefficients
    state: State
    time_s: float
    captured_s: float | None
    source: str
    avatar_id: int


def motion_vector(z: Coefficients) -> Floats:
    """(74,) what moves of z: expression (64), pose (6), gaze (4)."""
    return np.concatenate([z.expression, z.pose, z.gaze])


def with_motion(z: Coefficients, motion: Floats) -> Coefficients:
    """z with this ``motion_vector`` (74,) instead of its own."""
    expression, pose, gaze = np.split(motion, [z.expression.size, z.expression.size + z.pose.size])
    return replace(z, expression=expression, pose=pose, gaze=gaze)


def displaced(z: Coefficients, change: Floats) -> Coefficients:
    """z with ``change`` (74,), a ``motion_vector``, added. Named expressions stay in 0…1 or where z has them beyond, gaze within
    ±``LARGEST_GAZE``."""
    named, expressions = len(EXPRESSION_NAMES), z.expression.size
    expression, pose, gaze = np.split(motion_vector(z) + change, [expressions, expressions + z.pose.size])
    own = z.expression[:named]
    expression[:named] = np.clip(expression[:named], np.minimum(own, 0), np.maximum(own, 1))
    return replace(z, expression=expression, pose=pose, gaze=np.clip(gaze, -LARGEST_GAZE, LARGEST_GAZE))
