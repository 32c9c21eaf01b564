"""Cuts a mesh of triangles along a smooth line, so that it ends cleanly: vertices on the line are mixtures of two old ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer.head.source import Doubles, Integers


@dataclass(frozen=True)
class Cut:
    """What is left of a mesh: (T, 3) triangles over K vertices, vertex k = share·first + (1 − share)·second of the old ones.

    border (B,) are the new vertices on the line.
    """

    triangles: Integers
    first: Integers
    second: Integers
    share: Doubles
    border: Integers

    def mix(self, values: Doubles) -> Doubles:
        """(N, C) values at the old vertices → (K, C) at the new ones."""
        share = self.share.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(share * values[self.first] + (1 - share) * values[self.second])


def cut(triangles: Integers, side: Doubles) -> Cut:
    """(T, 3) triangles over N vertices, (N,) ``side``: positive is kept, and the line runs where it is 0 along the edges."""
    edges: dict[tuple[int, int], int] = {}
    kept: list[list[int]] = []
    for triangle in triangles:
        polygon = _kept_polygon(triangle, side, edges, len(side))
        kept += [[polygon[0], polygon[k], polygon[k + 1]] for k in range(1, len(polygon) - 1)]
    used, local = np.unique(np.array(kept), return_inverse=True)

    pairs = np.array(list(edges), dtype=np.int64).reshape(-1, 2)
    first = np.concatenate([np.arange(len(side)), pairs[:, 0]])[used]
    second = np.concatenate([np.arange(len(side)), pairs[:, 1]])[used]
    span = side[first] - side[second]
    share = np.where(first == second, 1.0, -side[second] / np.where(first == second, 1.0, span))
    return Cut(local.reshape(-1, 3), first, second, share, np.flatnonzero(first != second))


def _kept_polygon(triangle: Integers, side: Doubles, edges: dict[tuple[int, int], int], vertices: int) -> list[int]:
    """The corners of the triangle's part with side > 0, in its order; new corners are numbered after the old vertices."""
    polygon = []
    for a, b in zip(triangle, np.roll(triangle, -1), strict=True):
        if side[a] > 0:
            polygon.append(int(a))
        if (side[a] > 0) != (side[b] > 0):
            edge = (int(min(a, b)), int(max(a, b)))
            polygon.append(edges.setdefault(edge, vertices + len(edges)))
    return polygon
