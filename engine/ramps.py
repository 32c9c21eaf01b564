"""Smooth transitions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.values import Floats


def smooth_step(values: NDArray[Any], low: float = 0, high: float = 1) -> Floats:
    """0 at ``low``, 1 at ``high``, t²(3 − 2t) between; ``low`` may be the greater one."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
