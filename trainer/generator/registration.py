"""A target brought to where geometry expects it.

Geometry puts a face a pixel or two beside where the camera saw it, for z is fitted. A network that is to paint what the camera
saw in *both* places can only paint a mean of them: blur. So the target is moved, smoothly and by little, onto the picture that is
to be corrected, and what is left to learn is what geometry cannot know: skin, lids, teeth, light.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.values import Picture
from trainer.data.shards import CROP_PX

SMOOTH_PX = 8.0  # standard deviation: finer differences are content, not place
MOST_PX = 8.0  # larger ones are mistakes of the optical flow
GRID = np.moveaxis(np.indices((CROP_PX, CROP_PX), dtype=np.float32)[::-1], 0, -1)


def registered(target: Picture, drawn: Picture) -> Picture:
    """``target`` (512, 512, 3) moved onto ``drawn`` by the optical flow between them (DIS, Kroeger et al. 2016), smoothed."""
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)  # type: ignore[attr-defined]
    grey = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (drawn, target)]
    moved = cv2.GaussianBlur(flow.calc(*grey, None), (0, 0), SMOOTH_PX)
    x, y = np.moveaxis(GRID + np.clip(moved, -MOST_PX, MOST_PX), -1, 0).astype(np.float32)
    return np.asarray(cv2.remap(target, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8)
