"""The refiner as live use runs it, the numpy twin of ``engine.generator.refiner.Refiner.forward``."""

from __future__ import annotations

import logging
import math

import numpy as np

from engine.components import Side, corners
from engine.generator.variants import Variant
from engine.runtime.sessions import GraphSession
from engine.values import Floats, Picture

log = logging.getLogger(__name__)


class Refinement:
    """Corrects mouth and eyes of pictures of one size; serves one thread."""

    def __init__(self, session: GraphSession, variant: Variant) -> None:
        """``session``: the graph 'refiner'."""
        self._session, self._size, self._sides = session, variant.size, variant.windows
        self._told = False  # that an answer was not finite
        self._mouth, self._eyes = (np.empty(shape, np.float32) for shape in variant.inputs("refiner").values())

    def apply(self, picture: Picture, render: Picture, render_weight: Floats, components: Floats, strength: Floats) -> None:
        """Changes the picture (S, S, 3), as it was composed; ``strength`` (3,) 0…1 of the corrections are made. Arguments as
        ``Generator.generate``'s. An answer that is not finite is not used: the picture stays as it is (logged once)."""
        planes = (picture, render, render_weight)
        places = corners(components, self._sides, self._size).tolist()
        windows = [_views(planes, place, side) for place, side in zip(places, self._sides, strict=True)]
        seen = self._mouth[0], self._eyes[0], self._eyes[1, :, :, ::-1]  # the left eye is seen mirrored
        for window, out in zip(windows, seen, strict=True):
            _fill(window, out)
        answer = self._session.run({"mouth": self._mouth, "eyes": self._eyes})
        mouth, eyes = answer["mouth_state"], answer["eyes_state"]
        if not math.isfinite(float(mouth.sum()) + float(eyes.sum())):
            if not self._told:
                self._told = True
                log.warning("the refiner gave values that are not finite; the pictures stay as they were composed")
            return
        states = mouth[0], eyes[0], eyes[1, :, :, ::-1]
        for (levels, _, _), before, state, share in zip(windows, seen, states, strength, strict=True):
            change = (state[:3] - state[3] * before[:3]).transpose(1, 2, 0) * np.float32(127.5 * share)
            levels[:] = np.clip(np.rint(levels + change), 0, 255)


def _views(planes: tuple[Picture, Picture, Floats], place: list[int], side: Side) -> list[Picture | Floats]:
    (x, y), (width, height) = place, side
    return [plane[y : y + height, x : x + width] for plane in planes]


def _fill(window: list[Picture | Floats], out: Floats) -> None:
    """What the refiner sees of a window: P, I_3D −1…1 and 2k − 1."""
    picture, render, weight = window
    for levels, channels in ((picture, out[:3]), (render, out[3:6])):
        np.multiply(levels.transpose(2, 0, 1), np.float32(1 / 127.5), out=channels)
    np.multiply(weight, np.float32(2), out=out[6])
    out -= 1
