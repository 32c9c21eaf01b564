"""The learning rate over the images seen."""

from __future__ import annotations

import math


def learning_rate(peak: float, images: int, *, warm_up: int, decay_from: int, total: int) -> float:
    """Rises linearly over ``warm_up`` images, stays, and from ``decay_from`` falls by a cosine to a hundredth at ``total``.

    The long plateau lets a run be prolonged: only the fall has to be done again.
    """
    if images < warm_up:
        return peak * (images + 1) / warm_up
    if images < decay_from:
        return peak
    left = min(1.0, (images - decay_from) / max(1, total - decay_from))
    return peak * (0.01 + 0.99 * (1 + math.cos(math.pi * left)) / 2)
