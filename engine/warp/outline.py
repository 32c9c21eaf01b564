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
    model = head.model
    screen = project(place(head.shape(source.expression, source.gaze), source.pose))
    way = nearest_person(matte, screen[:, :2]) - screen[:, :2]
    far = np.linalg.norm(way, axis=1)
    moved = vertices_of(model.triangles[model.part == Part.SKIN], len(screen)) & (far > 0) & (far < MOST)
    moved &= (np.abs(screen[:, :2]) < 1).all(1) & (model.follow > 0)
    shift = np.zeros_like(head.rest)
    shift[moved, :2] = way[moved] * screen[moved, 2:] / FOCAL * np.array([1, -1], np.float32)
    return PersonalHead(model, head.rest + shift @ rotation(source.pose[:3]))


def nearest_person(matte: Floats, points: Floats) -> Floats:
    """(K, 2) points → themselves where the matte (N, N) shows nothing but the person, elsewhere the nearest such pixel."""
    size = len(matte)
    beside = (matte <= OPAQUE).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(beside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    rows, columns = np.nonzero(beside == 0)
    found = np.zeros((int(nearest.max()) + 1, 2), np.float32)
    found[nearest[rows, columns]] = (2 * np.stack([columns, rows], 1) + 1) / size - 1
    x, y = ((points + 1) / 2 * size).astype(int).clip(0, size - 1).T
    return np.asarray(np.where(beside[y, x, None] > 0, found[nearest[y, x]], points), np.float32)
