"""Random fields and the random numbers they are made of: everything is drawn from generators seeded by whole numbers."""

from __future__ import annotations

import cv2
import numpy as np

from engine.values import Floats


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], cells: tuple[int, int]) -> Floats:
    """(rows, columns) normal values on a grid of ``cells``, between them cubic; right and lower edge continue the others."""
    coarse = np.pad(rng.standard_normal(cells).astype(np.float32), 2, mode="wrap")
    scale = np.array(shape) / cells
    fine = cv2.resize(
        coarse, (round(coarse.shape[1] * scale[1]), round(coarse.shape[0] * scale[0])), interpolation=cv2.INTER_CUBIC
    )
    top, left = (2 * scale).astype(int)
    return np.asarray(fine[top : top + shape[0], left : left + shape[1]], np.float32)


def chance(rng: np.random.Generator, probability: float) -> bool:
    """True with this probability."""
    return bool(rng.random() < probability)


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """A uniform number."""
    return float(rng.uniform(low, high))
