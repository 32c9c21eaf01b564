"""The parts of the head's surface."""

from __future__ import annotations

from enum import IntEnum


class Part(IntEnum):
    """What a triangle belongs to. MOUTH is the inside of the mouth and the gums, unseen when it is closed."""

    SKIN = 0
    EYE_LEFT = 1
    EYE_RIGHT = 2
    UPPER_TEETH = 3
    LOWER_TEETH = 4
    TONGUE = 5
    MOUTH = 6
