"""Sampling pictures at places between their pixels, in numpy."""

from __future__ import annotations

import numpy as np

from engine.values import Floats


def sample(image: Floats, points: Floats) -> Floats:
    """(S, S, C) at (H, W, 2) crop coordinates → (H, W, C); bilinear, border padding."""
    size = image.shape[0]
    place = np.clip((points + 1) * (size / 2) - 0.5, 0, size - 1)
    low = np.clip(np.floor(place).astype(int), 0, max(size - 2, 0))
    share = (place - low)[..., None]
    x, y, fx, fy = low[..., 0], low[..., 1], share[..., 0, :], share[..., 1, :]
    upper = image[y, x] * (1 - fx) + image[y, x + 1] * fx
    lower = image[y + 1, x] * (1 - fx) + image[y + 1, x + 1] * fx
    result: Floats = (upper * (1 - fy) + lower * fy).astype(np.float32)
    return result


def cubic_weights(share: Floats) -> Floats:
    """(…,) 0…1, how far a place lies beyond the second of four pixels → (…, 4) their weights, which sum to 1.

    Cubic convolution (Keys 1981) with a = −0.75, as OpenCV's INTER_CUBIC and torch's bicubic ``grid_sample``.
    """
    a = -0.75
    near, far = np.stack([share, 1 - share]), np.stack([1 + share, 2 - share])
    second, third = (a + 2) * near**3 - (a + 3) * near**2 + 1
    first, fourth = a * far**3 - 5 * a * far**2 + 8 * a * far - 4 * a
    weights: Floats = np.stack([first, second, third, fourth], -1).astype(np.float32)
    return weights
