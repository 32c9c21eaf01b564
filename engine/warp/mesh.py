"""Small helpers on triangle meshes: which vertices, which way they face, values carried from neighbour to neighbour."""

from __future__ import annotations

import numba
import numpy as np

from engine.conventions import CAMERA_DISTANCE_DM
from engine.render.raster import Indices
from engine.values import Floats, Mask

SPREAD_STEPS = 200  # of averaging over the mesh, enough to carry skin around an ear


def facing_camera(placed: Floats, normals: Floats) -> Floats:
    """(V,) cosine between normal and line of sight, vertices in camera space; 1 = seen from the front, below 0 = from behind."""
    sight = np.array([0, 0, CAMERA_DISTANCE_DM], np.float32) - placed
    return np.asarray((normals * sight).sum(1) / np.linalg.norm(sight, axis=1), np.float32)


def vertices_of(triangles: Indices, count: int) -> Mask:
    """(V,) which vertices some triangles have."""
    out = np.zeros(count, bool)
    out[triangles] = True
    return out


def grown(seen: Mask, triangles: Indices, rings: int) -> Mask:
    """(V,) the seen vertices and those at most ``rings`` edges away from them."""
    out = seen.copy()
    for _ in range(rings):
        out = out | vertices_of(triangles[out[triangles].any(1)], len(out))
    return out


def connected(triangles: Indices, which: Mask, start: int) -> Mask:
    """(V,) the vertices that hang together with vertex ``start`` through the triangles ``which`` (T,)."""
    out = np.zeros(int(triangles.max()) + 1, bool)
    out[start] = True
    edges, before = triangles[which], 0
    while before < (before := int(out.sum())):
        out = grown(out, edges, 4)
    return out


def spread_over_mesh(values: Floats, known: Mask, triangles: Indices) -> Floats:
    """(V, C) values, kept where known and elsewhere averaged from neighbour to neighbour until they are smooth (harmonic)."""
    out, reached = values.astype(np.float32), known.copy()
    touched = np.unique(triangles)
    order = touched[~known[touched]]
    both = np.concatenate([triangles[:, [a, b]] for a in range(3) for b in range(3) if a != b])
    start, end = np.divmod(np.unique(both[:, 0] * np.int64(len(values)) + both[:, 1]), len(values))
    _relax(out, reached, order, np.searchsorted(start, np.arange(len(values) + 1)), end, SPREAD_STEPS)
    return out


@numba.njit(cache=True, nogil=True)
def _relax(out, reached, order, starts, neighbours, steps):  # type: ignore[no-untyped-def]
    """Gauss-Seidel: each unknown vertex becomes the mean of its neighbours that have a value already.

    Number by number: numba takes seconds longer to compile sums of whole rows.
    """
    total = np.zeros(out.shape[1], np.float32)
    for _ in range(steps):
        for v in order:
            count = 0
            for c in range(total.size):
                total[c] = 0
            for k in range(starts[v], starts[v + 1]):
                if reached[neighbours[k]]:
                    count += 1
                    for c in range(total.size):
                        total[c] += out[neighbours[k], c]
            if count:
                for c in range(total.size):
                    out[v, c] = total[c] / count
                reached[v] = True
