"""Blinks that close exactly: MakeHuman's lids pass the lower edge by half their way on the mean head."""

from __future__ import annotations

import numpy as np

from engine.head.parts import Part
from engine.render.raster import Renderer
from engine.values import EXPRESSION_NAMES
from trainer.head.assembly import Assembly
from trainer.head.rims import Rim, find_rims
from trainer.head.source import Doubles

_EYE_WINDOW_DM = 0.3
_OVERLAP = 1.06  # of the way that just closes: a lid rests on the other
_ENDS = 0.04  # share of the rim at each corner where gap and way are both too small to divide
_BLINKS = ((Part.EYE_LEFT, "eyeBlinkLeft"), (Part.EYE_RIGHT, "eyeBlinkRight"))


def eye_rims(assembly: Assembly, shape: Doubles, part: Part, renderer: Renderer) -> tuple[Rim, Rim]:
    """The edges of the upper and of the lower lid on (V, 3) vertices."""
    window = (shape[assembly.vertices_of(part)].mean(0), _EYE_WINDOW_DM)
    return find_rims(assembly, shape, assembly.part == part, window, renderer)


def close_lids(assembly: Assembly, shape: Doubles, named: Doubles, renderer: Renderer) -> None:
    """Scales the blinks among the (52, V, 3) named shapes, in place, by a smooth function of x, so that 1 just closes the eye."""
    for part, name in _BLINKS:
        blink = named[EXPRESSION_NAMES.index(name)]
        x, factor = _needed(assembly, shape, blink, eye_rims(assembly, shape, part, renderer))
        middle = x.mean()  # a cubic, about the middle so that it is well conditioned
        curve = np.polyfit(x - middle, factor, 3)
        at = np.clip(shape[:, 0], x.min(), x.max()) - middle
        blink *= np.polyval(curve, at)[:, None] * _OVERLAP


def _needed(assembly: Assembly, shape: Doubles, blink: Doubles, rims: tuple[Rim, Rim]) -> tuple[Doubles, Doubles]:
    """Along the upper rim: x [dm], and the share of the blink after which it meets the lower rim."""
    (upper, lower), (upper_way, lower_way) = ([rim.on(field, assembly.triangles) for rim in rims] for field in (shape, blink))
    inner = slice(int(_ENDS * len(upper)), int((1 - _ENDS) * len(upper)))
    below = np.abs(lower[None, :, 0] - upper[inner, None, 0]).argmin(1)
    gap = upper[inner, 1] - lower[below, 1]
    closing = lower_way[below, 1] - upper_way[inner, 1]
    return upper[inner, 0], gap / closing
