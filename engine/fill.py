"""Filling in what is not known of a picture or field from what is known around it."""

from __future__ import annotations

import cv2
import numpy as np

from engine.values import Floats, Mask, Picture

PATCH_PX = 3  # on either side of a patch's middle


def fill(values: Floats | Picture, known: Mask) -> Floats:
    """(H, W) or (H, W, C) values, kept where known and continued smoothly elsewhere by a pyramid of weighted means."""
    weight = known.astype(np.float32)
    field = values.astype(np.float32).reshape(*known.shape, -1)
    levels = [(field * weight[..., None], weight)]
    while max(levels[-1][1].shape) > 1:
        levels.append((_halved(levels[-1][0]), _halved(levels[-1][1])[..., 0]))
    filled = _mean(*levels[-1])
    for total, amount in reversed(levels[:-1]):
        height, width = amount.shape
        wide = cv2.GaussianBlur(cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR), (3, 3), 0)
        sure = np.minimum(amount, 1)[..., None]
        filled = np.asarray(sure * _mean(total, amount) + (1 - sure) * wide.reshape(total.shape), np.float32)
    return filled.reshape(values.shape)


def texture(picture: Picture, hole: Mask, never: Mask | None = None) -> Picture:
    """(H, W, 3) with the hole filled by patches of the rest (PatchMatch, Barnes et al. 2009), always the same for the same input.

    ``never``: what is not filled, and not copied from either. Smooth where the library was not built for this system.
    """
    import patchmatch  # here: few parts of the program need it

    if not patchmatch.patchmatch_available:
        known = ~hole if never is None else ~(hole | never)
        return np.where(hole[..., None], np.rint(fill(picture, known)), picture).astype(np.uint8)
    patchmatch.set_random_seed(0)
    return np.asarray(patchmatch.inpaint(picture, hole, global_mask=never, patch_size=PATCH_PX), np.uint8)


def _halved(field: Floats) -> Floats:
    height, width = field.shape[:2]
    half = cv2.resize(field, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(half, np.float32).reshape(*half.shape[:2], -1)


def _mean(total: Floats, amount: Floats) -> Floats:
    return np.asarray(total / np.maximum(amount, 1e-6)[..., None], np.float32)
