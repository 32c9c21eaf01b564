"""The head's shapes as they move a photograph, so that 1 looks like the named expression on it.

Some of the open head's shapes hardly show on a real face, and those of the brows end so abruptly that brows would break.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from engine.head.model import HeadModel
from engine.head.parts import Part
from engine.values import BLINKS, EXPRESSION_NAMES, Floats

# By which they are stronger than the open head's; by eye and by a tracker's scores on photographs (docs/head.md).
GAIN = {"browInnerUp": 1.6, "mouthPucker": 1.25}
EASED = ("browInnerUp", "browDownLeft", "browDownRight", "browOuterUpLeft", "browOuterUpRight")
STEPS = 12  # of averaging over neighbours, 4 mm away: brows end over a centimetre
LID_DM = 0.012  # what a blink moves by more is lid, and keeps the shape's own motion
STRONGEST = 40  # vertices of a shape by which its strength is told


@lru_cache(maxsize=4)
def as_portrayed(head: HeadModel) -> HeadModel:
    """The head that is fitted to photographs and drawn; a driver is fitted with the head as it is. Kept after the first call."""
    basis = head.expression_basis.copy()
    brows = [EXPRESSION_NAMES.index(name) for name in EASED]
    basis[brows] = _eased(head, basis[brows])
    for name, gain in GAIN.items():
        basis[EXPRESSION_NAMES.index(name)] *= gain
    return replace(head, expression_basis=basis)


def _eased(head: HeadModel, shapes: Floats) -> Floats:
    """(K, V, 3) shapes that end gently, about as strong as before where they are strongest; lids move as before."""
    skin = head.triangles[head.part == Part.SKIN]
    both = np.concatenate([skin[:, [a, b]] for a in range(3) for b in range(3) if a != b])
    start, end = np.unique(both, axis=0).T
    count = np.maximum(np.bincount(start, minlength=shapes.shape[1]), 1).astype(np.float32)[:, None]
    free = np.zeros(shapes.shape[1], bool)
    free[skin] = True
    free &= (np.linalg.norm(head.expression_basis[BLINKS], axis=2) < LID_DM).all(0)
    out = shapes.copy()
    for shape, before in zip(out, shapes, strict=True):
        for _ in range(STEPS):
            total = np.stack([np.bincount(start, shape[end, axis], len(shape)) for axis in range(3)], 1)
            shape[free] = (0.5 * (shape + total / count))[free]
        size = np.linalg.norm(before, axis=1)
        strongest = size >= np.sort(size)[-STRONGEST:][0]
        shape[free] *= float((before * before)[strongest].sum() / (before * shape)[strongest].sum())
    return out
