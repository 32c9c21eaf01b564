"""The parts of a face that are drawn from whichever photograph shows them best, as soft shares of the head's vertices."""

from __future__ import annotations

import numpy as np

from engine.head import HeadModel, Part
from engine.landmark_indices import INNER_LIPS, LID_EDGES, OUTER_LIPS
from engine.ramps import smooth_step
from engine.values import FACE_POINTS, Floats
from engine.warp.mesh import vertices_of
from engine.warp.photograph import INSIDE

REGIONS = ("mouth", "right eye", "left eye")  # mouth, chin and cheeks; either eye with brow and forehead; the person's sides
# Of the mean head [dm], from where to where a share rises from 0 to 1: upward, toward the person's left, forward.
BELOW, CHIN, FOREHEAD, ASIDE, FRONT = (0.27, 0.05), (-0.85, -0.62), (0.87, 0.62), (0.08, -0.08), (0.25, 0.6)
EDGES_WEIGH = 5.0  # a landmark of a lid's or lip's edge, against 1: a few pixels of them are open or shut


def face_regions(head: HeadModel) -> Floats:
    """(3, V) 0…1, how far a vertex belongs to each of ``REGIONS``; what is left to 1 is the first photograph's alone."""
    x, y, z = head.mean_shape.T
    below, aside = smooth_step(y, *BELOW), smooth_step(x, *ASIDE)
    above = (1 - below) * smooth_step(y, *FOREHEAD)
    shares = np.stack([below * smooth_step(y, *CHIN), above * aside, above * (1 - aside)])
    shares *= smooth_step(z, *FRONT) * (head.follow > 0.5)
    on_skin = vertices_of(head.triangles[head.part == Part.SKIN], len(x))
    inside = vertices_of(head.triangles[np.isin(head.part, INSIDE)], len(x)) & ~on_skin
    left, right = head.eyeballs
    for region, vertices in ((0, np.nonzero(inside)[0]), (1, right), (2, left)):
        shares[:, vertices] = 0
        shares[region, vertices] = 1
    return shares.astype(np.float32)


def movement_metric(head: HeadModel, regions: Floats) -> Floats:
    """(3, 64, K) A: |A_r·(β − β′)|² is the mean square by which the landmarks of region r lie apart in two expressions [dm²]."""
    corners = head.triangles[head.landmark_triangles[:FACE_POINTS]]
    weights = head.landmark_weights[:FACE_POINTS]
    moves = np.einsum("bnci,nc->bni", head.expression_basis[:, corners], weights)
    shares = np.einsum("rnc,nc->rn", regions[:, corners], weights)
    shares[:, [*OUTER_LIPS, *INNER_LIPS, *LID_EDGES]] *= EDGES_WEIGH
    shares /= shares.sum(1, keepdims=True)
    out = []
    for share in shares:
        gram = np.einsum("ani,bni,n->ab", moves, moves, share).astype(np.float64)
        values, vectors = np.linalg.eigh(gram)
        out.append(vectors * np.sqrt(np.maximum(values, 0)))
    return np.asarray(out, np.float32)
