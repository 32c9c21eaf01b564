"""A photograph at points half a pixel apart, made once, so that four taps a frame find its finest detail between pixels, too.

A cubic kernel on the pixels themselves loses most of what is finer than three pixels at places half-way between two of them.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from engine.values import Floats, Picture

POINTS = 2  # per pixel, along an axis
LOBES = 10  # of the Lanczos kernel, the pixels that count on each side of a point
REACH = 2  # pixels on each side, whose range a point may leave by so much of it: ringing ends there
OVERSHOOT = 0.3


def halfway_weights() -> Floats:
    """(20,) the weights of the pixels around a point half-way between two: Lanczos' kernel, summing to 1."""
    apart = np.arange(LOBES) + 0.5
    side = np.sinc(apart) * np.sinc(apart / LOBES)
    weights = np.concatenate([side[::-1], side])
    return np.asarray(weights / weights.sum(), np.float32)


def upsampled(picture: Picture) -> Picture:
    """(H, W, 3) → (2 H, 2 W, 3): point (2y, 2x) is pixel (y, x), and the next half a pixel on; the last repeats its pixel."""
    return _woven(_woven(picture, 1), 0)


def _woven(picture: Picture, axis: int) -> Picture:
    """The picture with points between its pixels along an axis."""
    height, width, colours = picture.shape
    halfway = _halfway(picture, axis)
    if axis == 0:
        return np.asarray(np.stack([picture, halfway], 1).reshape(2 * height, width, colours), np.uint8)
    both = np.empty((height, width, 2 * colours), np.uint8)
    cv2.mixChannels([picture, halfway], [both], [place for k in range(2 * colours) for place in (k, k)])
    return np.asarray(both.reshape(height, 2 * width, colours), np.uint8)


def _halfway(picture: Picture, axis: int) -> Picture:
    """(H, W, 3) what lies half a pixel beyond each pixel along an axis, the border continued."""
    smooth = cv2.filter2D(picture, -1, _along(halfway_weights(), axis), **_before(LOBES, axis))
    near = _along(np.ones(2 * REACH, np.uint8), axis)
    least, most = (extreme(picture, near, **_before(REACH, axis)) for extreme in (cv2.erode, cv2.dilate))
    low = cv2.addWeighted(least, 1 + OVERSHOOT, most, -OVERSHOOT, 0)
    high = cv2.addWeighted(most, 1 + OVERSHOOT, least, -OVERSHOOT, 0)
    found = np.asarray(cv2.min(cv2.max(smooth, low), high), np.uint8)
    last = (slice(None),) * axis + (-1,)
    found[last] = picture[last]
    return found


def _along(kernel: Any, axis: int) -> Any:
    return kernel[:, None] if axis == 0 else kernel[None]


def _before(count: int, axis: int) -> dict[str, Any]:
    """The first of so many pixels on each side, as OpenCV's filters want it said."""
    return {"anchor": (0, count - 1) if axis == 0 else (count - 1, 0), "borderType": cv2.BORDER_REPLICATE}
