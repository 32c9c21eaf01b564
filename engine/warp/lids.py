"""Upper lids on their way down: they show skin from above the lashes, and the lashes at their edge.

A photograph of an open eye often shows lashes across the lid. The lid's few pixels are stretched over the whole eye when it
shuts, and lashes that were stretched with them would be a comb. So what a lid shows is moved up, toward the brow, the farther it
is shut: nothing at its edge, where the lash line is, and nothing at the brow. How far, the photograph says: not at all where the
lid itself is clean, and not where the rim of spectacles or a shadow lies above it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.head import HeadModel, Part
from engine.landmark_indices import BROW_LOWER_EDGE, CHEEKS, EYE_CORNERS, UPPER_LID_MIDDLE
from engine.sampling import sample
from engine.values import BLINKS, Coefficients, Floats, Picture

LASH_LINE_DM = 0.02  # from a lid's edge: so far its lashes are seen when it is shut
FOLD, BROW = 0.4, 0.9  # of the way from a lid's edge to the brow: where the lid ends when it is open, and where hair begins
REACHES = np.linspace(0, 0.36, 7)  # of the same way: how far up a shut lid may look for skin
CLEANER = 0.9  # of what the lid itself shows: only what is cleaner is preferred
ROUND = 1.2  # half widths of the eye, where the lid ends sideways


@dataclass(frozen=True)
class Lids:
    """Of the left and the right eye: vertices (K,), and by how much what they show moves when it is shut (K, 2) [crop units]."""

    vertices: tuple[NDArray[np.intp], NDArray[np.intp]]
    shift: tuple[Floats, Floats]

    def look_up(self, attributes: Floats, source: Coefficients, z: Coefficients) -> None:
        """Moves the places u, v, the first of attributes (V, ≥ 2), as far as z shuts what is open in the ``source``."""
        own = source.expression[BLINKS]
        shut = np.clip((z.expression[BLINKS] - own) / np.maximum(1 - own, 0.1), 0, 1)
        for vertices, shift, share in zip(self.vertices, self.shift, shut * shut * (3 - 2 * shut), strict=True):
            attributes[vertices, :2] += share * shift


def lids_of(head: HeadModel, screen: Floats, photo: Picture) -> Lids:
    """From the head's vertices as the photograph (S, S, 3) shows them, (V, 3) on the screen."""
    points, seen = head.landmarks(head.mean_shape), head.landmarks(screen)[:, :2]
    grey = _blurred(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32), len(photo) / 512)
    fields = np.stack([grey, np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0))], -1).astype(np.float32)
    bright = sample(_blurred(grey, len(photo) / 128)[..., None], seen[None, list(CHEEKS)])[0, :, 0]
    found = []
    for blink, edge, brow, corners, cheek in zip(
        head.expression_basis[BLINKS], UPPER_LID_MIDDLE, BROW_LOWER_EDGE, EYE_CORNERS, bright, strict=True
    ):
        x, y = (head.mean_shape[:, :2] - points[edge, :2]).T
        height, half = points[brow, 1] - points[edge, 1], abs(points[corners[0], 0] - points[corners[1], 0]) / 2
        rising, falling = y / LASH_LINE_DM, (BROW * height - y) / ((BROW - FOLD) * height)
        across = 1 - (x / (ROUND * half)) ** 2
        weight = np.clip(np.minimum(rising, falling), 0, 1) * np.clip(across, 0, 1)
        weight *= head.mean_shape[:, 2] > 0.5 * points[edge, 2]
        area = _area(head, head.mean_shape + blink)
        vertices = np.nonzero((weight > 0) & (area > 0))[0]
        way = weight[vertices, None] * (seen[brow] - seen[edge])
        dirt = [_uncleanness(fields, screen[vertices, :2] + reach * way, cheek) @ area[vertices] for reach in REACHES]
        reach = REACHES[int(np.argmin(dirt))] if min(dirt) < CLEANER * dirt[0] else 0.0
        found.append((vertices, (reach * way).astype(np.float32)))
    (left, left_shift), (right, right_shift) = found
    return Lids((left, right), (left_shift, right_shift))


def _area(head: HeadModel, shape: Floats) -> Floats:
    """(V,) how much of the picture shows the skin around each vertex, seen from the front."""
    triangles = head.triangles[head.part == Part.SKIN]
    a, b, c = (shape[triangles[:, corner], :2] for corner in range(3))
    covered = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    return np.bincount(triangles.ravel(), np.repeat(np.maximum(covered, 0), 3), len(shape)).astype(np.float32)


def _uncleanness(fields: Floats, places: Floats, cheek: float) -> Floats:
    """(K,) how unlike clean skin the photograph is at places (K, 2): its contrast from side to side, as of lashes, and how far
    its brightness is from the ``cheek``'s [levels]; both are ``fields`` (S, S, 2), brightness first."""
    here = sample(fields, places[None])[0]
    return np.asarray(here[:, 1] + np.abs(here[:, 0] - cheek))


def _blurred(plane: Floats, sigma_px: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma_px), np.float32)
