"""From the tracker's points near the mean head to exact places on its surface.

Most points go to the nearest skin. Those on lids and inner lips go to the very edges, at the tracker's place along them, so
that they meet when eyes and mouth close; those of the irises go to the pupil's centre and the iris' border.
"""

from __future__ import annotations

import numpy as np

from engine.head.parts import Part
from engine.landmark_indices import INNER_LIP_RIMS, LEFT_IRIS, LEFT_LID_RIMS, RIGHT_IRIS, RIGHT_LID_RIMS
from engine.render import create_renderer
from engine.values import EXPRESSION_NAMES
from trainer.head.assembly import Assembly
from trainer.head.eyes import IRIS_RAD
from trainer.head.landmarks import nearest_on_surface
from trainer.head.lids import Rim, eye_rims, find_rims
from trainer.head.source import Doubles, Integers

_IRISES = ((Part.EYE_RIGHT, RIGHT_IRIS.start), (Part.EYE_LEFT, LEFT_IRIS.start))
_MOUTH_PARTS = (Part.UPPER_TEETH, Part.LOWER_TEETH, Part.TONGUE, Part.MOUTH)
_OPEN_JAW = 0.15
_SIZE_PX = 1024
_MOUTH_WINDOW_DM = 0.45

Places = tuple[Integers, Doubles]


def embed(assembly: Assembly, shape: Doubles, expression: Doubles, points: Doubles) -> Places:
    """(478, 3) points → (478,) triangles and (478, 3) weights on the (V, 3) mean head; expression (64, V, 3) opens its mouth."""
    places = _on_part(assembly, shape, points, Part.SKIN)
    renderer = create_renderer("cpu", _SIZE_PX)
    for part, indices in ((Part.EYE_RIGHT, RIGHT_LID_RIMS), (Part.EYE_LEFT, LEFT_LID_RIMS)):
        _slide(places, assembly, shape, points, indices, eye_rims(assembly, shape, part, renderer))

    opened = shape + _OPEN_JAW * expression[EXPRESSION_NAMES.index("jawOpen")]
    window = (points[list(INNER_LIP_RIMS[1])].mean(0), _MOUTH_WINDOW_DM)
    rims = find_rims(assembly, opened, np.isin(assembly.part, _MOUTH_PARTS), window, renderer)
    _slide(places, assembly, shape, points, INNER_LIP_RIMS, rims)

    for part, first in _IRISES:
        _iris(places, assembly, shape, points, part, first)
    return places


def _slide(
    places: Places,
    assembly: Assembly,
    shape: Doubles,
    points: Doubles,
    indices: tuple[tuple[int, ...], ...],
    rims: tuple[Rim, Rim],
) -> None:
    """Puts each point on the rim where the rim, on the mean head, has the point's x; those past its ends stay where they are."""
    for own, rim in zip(indices, rims, strict=True):
        x = rim.on(shape, assembly.triangles)[:, 0]
        for index in own:
            if x.min() <= points[index, 0] <= x.max():
                nearest = int(np.abs(x - points[index, 0]).argmin())
                places[0][index], places[1][index] = rim.triangles[nearest], rim.weights[nearest]


def _iris(places: Places, assembly: Assembly, shape: Doubles, points: Doubles, part: Part, first: int) -> None:
    """The pupil's centre, and four points of the iris' border: left, right, above and below, as the tracker orders them."""
    centre = shape[assembly.eye_centres[0 if part == Part.EYE_LEFT else 1]].mean(0)
    radius = np.linalg.norm(shape[assembly.vertices_of(part)] - centre, axis=1).max()
    turn = np.round(np.arctan2(*(points[first + 1 : first + 5, :2] - points[first, :2]).T[::-1]) / (np.pi / 2)) * (np.pi / 2)
    ring = np.stack([np.sin(IRIS_RAD) * np.cos(turn), np.sin(IRIS_RAD) * np.sin(turn), np.full(4, np.cos(IRIS_RAD))], 1)
    exact = centre + radius * np.concatenate([[[0, 0, 1.0]], ring])
    own = slice(first, first + 5)
    places[0][own], places[1][own] = _on_part(assembly, shape, exact, part)


def _on_part(assembly: Assembly, shape: Doubles, points: Doubles, part: Part) -> Places:
    chosen = np.flatnonzero(assembly.part == part)
    nearest, weights = nearest_on_surface(points, shape, assembly.triangles[chosen])
    return chosen[nearest], weights
