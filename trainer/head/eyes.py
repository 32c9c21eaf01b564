"""Eyeballs: spheres finer than MakeHuman's, with rings of vertices where pupil, iris and white meet."""

from __future__ import annotations

import numpy as np

from engine.head.parts import Part
from trainer.head.source import BaseMesh, Doubles, Integers
from trainer.head.surface import HeadPiece, ball, grid_triangles

# Angles from the pupil's centre [rad]: an iris of 12 mm and a pupil of 4 mm on MakeHuman's eyeballs of 30 mm. Doubled rings
# make crisp edges.
PUPIL_RAD = float(np.deg2rad(8.0))
IRIS_RAD = float(np.deg2rad(23.5))
_RINGS_RAD = np.deg2rad([0.0, 4.0, 7.4, 8.6, 12.5, 16.5, 20.5, 22.9, 24.1, 28.0, 38.0, 54.0, 70.0, 90.0, 112.0])
_SPOKES = 24
EQUATOR = int(np.argmax(np.isclose(_RINGS_RAD, np.pi / 2)))
_HALF_WIDTHS = 1.03  # radius relative to half the width of MakeHuman's eyeball, whose cornea bulges forward


def eyeball(mesh: BaseMesh, mean: Doubles, part: Part) -> HeadPiece:
    """One eyeball on the (N, 3) mean body, looking along +z. Its first ring is one point, repeated."""
    anchors = mesh.group("helper-l-eye" if part == Part.EYE_LEFT else "helper-r-eye")
    low, high = mean[anchors].min(0), mean[anchors].max(0)
    centre, radius = (low + high) / 2, (high[0] - low[0]) / 2 * _HALF_WIDTHS

    angle, direction = np.meshgrid(_RINGS_RAD, np.arange(_SPOKES) * 2 * np.pi / _SPOKES, indexing="ij")
    directions = np.stack([np.sin(angle) * np.cos(direction), np.sin(angle) * np.sin(direction), np.cos(angle)], -1)
    vertices = centre + radius * directions.reshape(-1, 3)
    triangles = grid_triangles(len(_RINGS_RAD), _SPOKES, closed=True)
    triangles = triangles[(triangles >= _SPOKES).sum(1) > 1]  # not those between copies of the first ring's one point
    place = np.stack([angle, direction], -1).reshape(-1, 2)
    return HeadPiece(vertices, triangles, part, ball(mean[anchors], anchors, vertices, centre), place)


def equator(first_vertex: int) -> Integers:
    """Indices of the vertices whose mean is the eyeball's centre, for a piece whose first vertex has this index."""
    return first_vertex + EQUATOR * _SPOKES + np.arange(_SPOKES)
