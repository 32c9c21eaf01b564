"""Facial components, as face restoration calls them: mouth and eyes, where people look. Each has a window in the picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.landmark_indices import LEFT_EYE, OUTER_LIPS, RIGHT_EYE
from engine.values import Floats

COMPONENTS = (OUTER_LIPS, RIGHT_EYE, LEFT_EYE)  # landmarks; right and left are the person's

OUTLINES = np.concatenate(COMPONENTS)  # all of these landmarks, one component after the other
_STARTS = np.cumsum([0, *map(len, COMPONENTS[:-1])])

Side = tuple[int, int]  # width and height of a window [px]


def middles(outlines: Floats) -> Floats:
    """(52, 2) the landmarks ``OUTLINES`` → (3, 2) the middle of each component, in the same coordinates."""
    least, most = np.minimum.reduceat(outlines, _STARTS), np.maximum.reduceat(outlines, _STARTS)
    return np.asarray((least + most) / 2, np.float32)


def corners(components: Floats, sides: Sequence[Side], size: int) -> NDArray[np.int64]:
    """(3, 2) middles in crop coordinates → (3, 2) left and upper edge [px] of their windows, inside a picture of ``size``."""
    half = np.array(sides) / 2
    place = np.floor((components + 1) * (size / 2) - half + 0.5)
    return np.asarray(np.clip(place, 0, size - 2 * half), np.int64)
