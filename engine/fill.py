"""Filling in what is not known of a picture or field from what is known around it."""

from __future__ import annotations

import cv2
import numpy as np

from engine.values import Floats, Mask, Picture


def fill(values: Floats | Picture, known: Mask) -> Floats:
    """(H, W) or (H, W, C) values, kept where known and continued smoothly elsewhere by a pyramid of weighted means."""
    weight = known.astype(np.float32)
    field = values.astype(np.float32).reshape(*known.shape, -1)
    levels = [(field * weight[..., None], weight)]
    while min(levels[-1][1].shape) > 2:
        levels.append((_halved(levels[-1][0]), _halved(levels[-1][1])[..., 0]))
    filled = _mean(*levels[-1])
    for total, amount in reversed(levels[:-1]):
        height, width = amount.shape
        wide = cv2.GaussianBlur(cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR), (3, 3), 0)
        sure = np.minimum(amount, 1)[..., None]
        filled = np.asarray(sure * _mean(total, amount) + (1 - sure) * wide.reshape(total.shape), np.float32)
    return filled.reshape(values.shape)


def _halved(field: Floats) -> Floats:
    half = cv2.resize(field, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.asarray(half, np.float32).reshape(*half.shape[:2], -1)


def _mean(total: Floats, amount: Floats) -> Floats:
    return np.asarray(total / np.maximum(amount, 1e-6)[..., None], np.float32)
