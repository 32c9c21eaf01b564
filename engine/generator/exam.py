"""The picture by which engines are compared: a made-up photograph with structure at every scale, moved a little."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from engine.conventions import pixel_grid
from engine.generator.guide import make_guide
from engine.generator.painters import Moment, Painter, Source
from engine.generator.variants import Variant
from engine.values import COEFFICIENTS, Floats, Picture

MOVED = 0.03  # of half the picture: eight pixels of 512


@dataclass(frozen=True)
class Exam:
    """What every painter must paint alike."""

    source: Source
    moment: Moment

    def answer(self, painter: Painter) -> Floats:
        """The painter's picture, 0…255."""
        return painter.paint(self.source, self.moment).astype(np.float32)


def make_exam(variant: Variant, prepare: Callable[[Picture, Floats, Picture, Picture], Source]) -> Exam:
    """Always the same for a variant; ``prepare`` is that of ``Generator``."""
    size = variant.size
    grid = pixel_grid(size)
    x, y = grid[..., 0], grid[..., 1]
    matte = np.clip(2 - 3 * np.hypot(x, y), 0, 1).astype(np.float32)
    foreground, plate, render = (_photograph(size, seed) for seed in range(3))
    photo = np.rint(matte[..., None] * foreground + (1 - matte[..., None]) * plate).astype(np.uint8)
    flow = (MOVED * np.stack([np.sin(2 * y), np.cos(3 * x) * y], -1)).astype(np.float32)
    weight = (0.5 * np.clip(1 - 4 * np.hypot(x, y - 0.3), 0, 1)).astype(np.float32)
    small = cv2.resize(flow, (variant.top, variant.top), interpolation=cv2.INTER_AREA)
    feeds = {
        "z": (0.3 * np.sin(np.arange(COEFFICIENTS, dtype=np.float32)))[None],
        "guide": make_guide(render, np.ones_like(matte), weight, variant.guide_size),
        "prior": np.ascontiguousarray(small.transpose(2, 0, 1)[None]),
    }
    return Exam(prepare(foreground, matte, plate, photo), Moment(feeds, flow, render, weight))


def _photograph(size: int, seed: int) -> Picture:
    """(size, size, 3) with structure at every scale, like a photograph and unlike noise."""
    random, picture = np.random.default_rng(seed), np.full((size, size, 3), 128, np.float32)
    for cells, levels in ((4, 50), (16, 35), (64, 25), (256, 25)):
        coarse = random.normal(0, levels, (cells, cells, 3)).astype(np.float32)
        picture += cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.clip(picture, 0, 255).astype(np.uint8)
