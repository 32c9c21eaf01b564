"""The edges of lids and lips as they are seen from the front: where skin meets eyeball or the inside of the mouth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.render.raster import Raster, Renderer
from trainer.head.assembly import Assembly
from trainer.head.source import Doubles, Integers

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
