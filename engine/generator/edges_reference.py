"""Smoothed edges in plain numpy: the readable twin that ``edges`` must match; nothing else uses it."""

from __future__ import annotations

import numpy as np

from engine.generator.edges import LEAST_PX, MOST_PX
from engine.values import Floats, Picture

TENT = {-1: 1, 0: 2, 1: 1}


def smooth_edges(picture: Picture, flow: Floats) -> Picture:
    """See ``engine.generator.edges.EdgeSmoother.smooth``."""
    size = len(picture)
    inner = slice(1, size - 1)
    here = flow[inner, inner]
    beside = [flow[1 + j : size - 1 + j, 1 + i : size - 1 + i] for j, i in ((0, 1), (0, -1), (1, 0), (-1, 0))]
    jump = np.max([np.abs(there - here).max(2) for there in beside], 0) * (size / 2)
    share = np.clip((jump - LEAST_PX) / (MOST_PX - LEAST_PX), 0, 1)[..., None]
    taps = [(j, i) for j in TENT for i in TENT]
    tent = sum(TENT[j] * TENT[i] * picture[1 + j : size - 1 + j, 1 + i : size - 1 + i].astype(np.float64) for j, i in taps) / 16
    centre = picture[inner, inner].astype(np.float64)
    out = picture.copy()
    out[inner, inner] = np.floor(centre + share * (tent - centre) + 0.5)
    return out
