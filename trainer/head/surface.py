"""Pieces of mesh: quads to triangles, grids, and how a new piece follows MakeHuman's vertices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.head.parts import Part
from trainer.head.source import Doubles, Integers

# (N, 3) displacement of MakeHuman's vertices → (K, 3) displacement of a piece's vertices; linear.
Follow = Callable[[Doubles], Doubles]


@dataclass(frozen=True)
class HeadPiece:
    """A piece of the head: (K, 3) vertices on the mean head, (T, 3) triangles anticlockwise from outside, one part, ``follow``.

    place (K, 2) where each vertex lies within its piece, for painting: an eye's angle from the pupil [rad] and its direction
    [rad], a tooth's height 0 (gum) … 1 (edge) … 2 (gum, behind) and its place across −1…1; zeros elsewhere.
    """

    vertices: Doubles
    triangles: Integers
    part: Part
    follow: Follow
    place: Doubles


def triangulate(quads: Integers) -> Integers:
    """(Q, 4) → (2 Q, 3), the same sense of rotation."""
    return quads[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)


def grid_triangles(rows: int, columns: int, closed: bool = False) -> Integers:
    """Triangles of a grid of vertices, row by row, anticlockwise seen from where rows go down and columns to the right."""
    index = np.arange(rows * columns).reshape(rows, columns)
    if closed:
        index = np.concatenate([index, index[:, :1]], 1)
    quads = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], -1)
    return triangulate(quads.reshape(-1, 4))


def same(vertices: Integers) -> Follow:
    """A piece that is itself some of MakeHuman's vertices."""
    return lambda displacement: displacement[vertices]


def affine(anchors: Doubles, anchor_vertices: Integers, vertices: Doubles) -> Follow:
    """A piece that moves by the affine map nearest to the motion of its anchors: rigid turns of the jaw stay rigid."""
    solve = np.linalg.pinv(_homogeneous(anchors))
    weights = _homogeneous(vertices) @ solve
    return lambda displacement: weights @ displacement[anchor_vertices]


def ball(anchors: Doubles, anchor_vertices: Integers, vertices: Doubles, centre: Doubles) -> Follow:
    """A piece that only shifts and grows with its anchors, so that a sphere stays one."""
    arms = anchors - anchors.mean(0)
    shift = anchors.mean(0) - centre

    def follow(displacement: Doubles) -> Doubles:
        moved = displacement[anchor_vertices]
        growth = float((arms * (moved - moved.mean(0))).sum() / (arms**2).sum())
        at_centre = moved.mean(0) - growth * shift
        return np.asarray(at_centre + growth * (vertices - centre))

    return follow


def _homogeneous(points: Doubles) -> Doubles:
    return np.concatenate([points, np.ones((len(points), 1))], 1)
