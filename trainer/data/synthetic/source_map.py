"""Where one picture of a scene shows what another one shows: the exact flow between two moments of one person."""

from __future__ import annotations

import cv2
import numpy as np

from engine.conventions import pixel_grid
from engine.render import Renderer
from engine.values import Floats, Mask
from trainer.data.synthetic.scene import PersonMesh

_SOLID = 0.5  # opacity from which a surface counts
_SAME_DM = 0.08  # depths that differ by less belong to one surface


def source_map(scene: PersonMesh, source: Floats, driving: Floats, renderer: Renderer) -> tuple[Floats, Mask]:
    """(N, N, 2) backward flow from the driving picture into the source, ``engine.conventions``, and (N, N) whether the source
    shows that surface. ``source`` and ``driving`` (V, 3) are the scene's vertices on the two screens.

    The room stands still: where no person is, the flow is 0, and it is seen unless the person stands before it in the source.
    """
    triangles = scene.triangles[scene.opacity[scene.triangles].min(1) > _SOLID]
    behind = renderer.rasterise(source, triangles).depth.copy()
    raster = renderer.rasterise(driving, triangles)
    person = raster.triangle >= 0
    places = renderer.interpolate(raster, triangles, source)
    grid = pixel_grid(renderer.size)
    flow = np.where(person[..., None], places[..., :2] - grid, 0).astype(np.float32)
    where = ((grid + flow + 1) * (renderer.size / 2) - 0.5).astype(np.float32)
    inside = (np.abs(grid + flow) <= 1).all(-1)
    nearest = cv2.remap(behind, where[..., 0], where[..., 1], cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    seen = np.where(person, places[..., 2] < nearest + _SAME_DM, np.isinf(nearest))
    return flow, np.asarray(seen & inside, np.bool_)
