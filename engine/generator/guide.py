"""The network's view of the rendered head."""

from __future__ import annotations

import cv2
import numpy as np

from engine.generator.variants import GUIDE_CHANNELS
from engine.values import Floats, Picture


def make_guide(render: Picture, coverage: Floats, render_weight: Floats, size: int, out: Floats | None = None) -> Floats:
    """The network's guide (1, 5, size, size): I_3D −1…1, coverage, render weight k; by averaging, into ``out`` when given.

    render (S, S, 3) uint8 · coverage (S, S) 1 where the head mesh covers the picture · render_weight (S, S) 0…1.
    """
    guide = np.empty((1, GUIDE_CHANNELS, size, size), np.float32) if out is None else out
    picture = cv2.resize(render, (size, size), interpolation=cv2.INTER_AREA)
    np.multiply(picture.transpose(2, 0, 1), np.float32(1 / 127.5), out=guide[0, :3])
    guide[0, :3] -= 1
    cv2.resize(coverage, (size, size), dst=guide[0, 3], interpolation=cv2.INTER_AREA)
    cv2.resize(render_weight, (size, size), dst=guide[0, 4], interpolation=cv2.INTER_AREA)
    return guide
