"""The picture that ``inspect`` writes: landmarks, mesh and rendered head, each over the photograph."""

from __future__ import annotations

import cv2
import numpy as np

from engine.conventions import place, project
from engine.regress.portrait import Fit
from engine.render import create_renderer
from engine.render.render import render_mesh
from engine.values import Face, Floats, Picture

LANDMARK, MESH = (60, 255, 120), (255, 200, 60)
MESH_STRENGTH, HEAD_STRENGTH = 0.35, 0.75


def draw_overlay(crop: Picture, face: Face, fit: Fit) -> Picture:
    """(N, 4·N, 3): landmarks, mesh, rendered head over the photograph, and the rendered head alone; ``face`` in crop pixels."""
    size = crop.shape[0]
    placed = place(fit.head.shape(fit.coefficients.expression, fit.coefficients.gaze), fit.coefficients.pose)
    triangles = fit.head.model.triangles
    renderer = create_renderer("cpu", size)
    head, raster = render_mesh(fit.head.model, placed, fit.albedo, fit.coefficients.illumination, renderer)
    covered = (raster.triangle >= 0)[..., None] * HEAD_STRENGTH
    over = (crop * (1 - covered) + head * covered).astype(np.uint8)
    return np.hstack([draw_landmarks(crop, face.landmarks), draw_mesh(crop, project(placed), triangles), over, head])


def draw_landmarks(crop: Picture, landmarks: Floats) -> Picture:
    """A dot at each landmark (pixels)."""
    picture = crop.copy()
    for x, y in landmarks[:, :2]:
        cv2.circle(picture, (round(16 * float(x)), round(16 * float(y))), 24, LANDMARK, -1, cv2.LINE_AA, 4)
    return picture


def draw_mesh(crop: Picture, projected: Floats, triangles: np.ndarray[tuple[int, ...], np.dtype[np.int32]]) -> Picture:
    """The edges of the triangles that face the viewer; ``projected`` (V, 3) in crop coordinates."""
    corners = (projected[triangles, :2] + 1) * (crop.shape[0] / 2)
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    facing = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0] < 0  # outward anticlockwise, and y points down
    lines = crop.copy()
    cv2.polylines(lines, list(np.round(corners[facing]).astype(np.int32)), True, MESH, 1, cv2.LINE_AA)
    return np.asarray(cv2.addWeighted(lines, MESH_STRENGTH, crop, 1 - MESH_STRENGTH, 0), np.uint8)
