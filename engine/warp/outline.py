"""The head's outline drawn to the person's in the photograph: what lies beside the person would be a hole once the head turns."""

from __future__ import annotations

import cv2
import numpy as np

from engine.conventions import FOCAL, place, project, rotation
from engine.head import Part, PersonalHead
from engine.values import Coefficients, Floats
from engine.warp.mesh import vertices_of

OPAQUE = 0.95  # matte from which on the photograph shows nothing but the person
MOST = 0.1  # farther than this [crop units] a vertex is not moved: the fit is wrong, or the person is cut off


def within_outline(head: PersonalHead, source: Coefficients, matte: Floats) -> PersonalHead:
    """The head fitted to a photograph, its skin that projects beside the person, by the matte (N, N), moved to the outline."""
    model, size = head.model, len(matte)
    placed = place(head.shape(source.expression, source.gaze), source.pose)
    screen = project(placed)
    beside = (matte <= OPAQUE).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(beside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    rows, columns = np.nonzero(beside == 0)
    found = np.zeros((int(nearest.max()) + 1, 2), np.float32)
    found[nearest[rows, columns]] = (2 * np.stack([columns, rows], 1) + 1) / size - 1
    x, y = ((screen[:, :2] + 1) / 2 * size).astype(int).clip(0, size - 1).T
    way = found[nearest[y, x]] - screen[:, :2]
    moved = vertices_of(model.triangles[model.part == Part.SKIN], len(screen)) & (beside[y, x] > 0)
    moved &= (np.linalg.norm(way, axis=1) < MOST) & (np.abs(screen[:, :2]) < 1).all(1) & (model.follow > 0)
    shift = np.zeros_like(head.rest)
    shift[moved, :2] = way[moved] * screen[moved, 2:] / FOCAL * np.array([1, -1], np.float32)
    return PersonalHead(model, head.rest + shift @ rotation(source.pose[:3]))
