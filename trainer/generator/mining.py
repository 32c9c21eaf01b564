"""Hard pairs first: how wrong geometry is about mouth and eyes, by which some of the drawn pairs are preferred.

In most pairs nothing of them is hidden, and geometry is right to a few levels; drawn evenly, what is to be learned is rare.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.components import OUTLINES, corners, middles
from engine.generator.variants import LIVE
from engine.values import Floats
from trainer.data.shards import CROP_PX
from trainer.generator.scenes import SourcePhoto, TargetFrame

MOST = 25.0  # levels; what is wrong by more is often no face at all, a hand or a cup


def wrongness(source: SourcePhoto, moment: TargetFrame) -> float:
    """0…``MOST``: the mean difference of levels between what geometry draws of mouth and eyes and the target; 0 without one."""
    if moment.target is None:
        return 0.0
    places = corners(middles(moment.points[OUTLINES]), LIVE.windows, CROP_PX).tolist()
    differences = []
    for (x, y), (width, height) in zip(places, LIVE.windows, strict=True):
        across, down = width // 6, height // 4  # a window's rim is skin, which is right
        inner = slice(y + down, y + height - down), slice(x + across, x + width - across)
        differences.append(np.abs(_drawn(source, moment, inner) - moment.target[inner]).mean())
    return float(min(max(differences), MOST))


def _drawn(source: SourcePhoto, moment: TargetFrame, part: tuple[slice, slice]) -> Floats:
    """A part of what geometry draws, levels; bilinear, without matte: nothing of the plate is there."""
    rows, columns = np.mgrid[part].astype(np.float32)
    flow = moment.flow[part].astype(np.float32) * np.float32(CROP_PX / 2)
    x, y = columns + flow[..., 0], rows + flow[..., 1]
    seen = cv2.remap(source.photo, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    weight = moment.render_weight[part][..., None] / np.float32(255)
    return np.asarray(seen + weight * (moment.render[part].astype(np.float32) - seen), np.float32)


def prefer(wrong: list[float], rng: np.random.Generator) -> int:
    """The number of one of them, each with a chance in proportion; evenly when nothing is wrong."""
    total = sum(wrong)
    return int(rng.integers(len(wrong))) if total == 0 else int(rng.choice(len(wrong), p=np.array(wrong) / total))
