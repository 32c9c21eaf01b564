"""Lids: their edges and those of the lips as seen from the front, and blinks that close exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.head.parts import Part
from engine.render.raster import Raster, Renderer
from engine.values import EXPRESSION_NAMES
from trainer.head.assembly import Assembly
from trainer.head.source import Doubles, Integers

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


_DEPTH_DM = 10.0


@dataclass(frozen=True)
class Rim:
    """The upper or the lower edge of an opening: (K,) triangles and (K, 3) weights of points on the skin, from −x to +x."""

    triangles: Integers
    weights: Doubles

    def on(self, shape: Doubles, triangles: Integers) -> Doubles:
        """(K, 3) the points on (V, 3) vertices."""
        points: Doubles = np.einsum("kc,kci->ki", self.weights, shape[triangles[self.triangles]])
        return points


def find_rims(
    assembly: Assembly, shape: Doubles, inside: NDArray[np.bool_], window: tuple[Doubles, float], renderer: Renderer
) -> tuple[Rim, Rim]:
    """Upper and lower rim of the opening that shows the ``inside`` (T,) triangles, in a window (centre, half width [dm])."""
    centre, reach = window
    screen = (shape - centre) / reach * [1, -1, 1]
    screen[:, 2] = _DEPTH_DM - screen[:, 2]
    raster = renderer.rasterise(screen.astype(np.float32), assembly.triangles.astype(np.int32))
    opening = (raster.triangle >= 0) & inside[raster.triangle]
    columns = np.flatnonzero(opening.any(0))
    upper = opening[:, columns].argmax(0) - 1
    lower = opening.shape[0] - opening[::-1][:, columns].argmax(0)
    return _rim(raster, upper, columns, inside), _rim(raster, lower, columns, inside)


def _rim(raster: Raster, rows: Integers, columns: Integers, inside: NDArray[np.bool_]) -> Rim:
    seen = raster.triangle[rows, columns]
    skin = (seen >= 0) & ~inside[seen]
    weights = raster.weights[rows, columns][skin].astype(np.float64)
    return Rim(seen[skin].astype(np.int64), np.concatenate([weights, 1 - weights.sum(1, keepdims=True)], 1))
