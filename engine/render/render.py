"""The rendered head I_3D (paper eq. 4): shape and albedo from z, posed, lit and drawn."""

from __future__ import annotations

import numba
import numpy as np

from engine.conventions import place, project
from engine.head.model import HeadModel
from engine.render.lighting import shade, vertex_normals
from engine.render.raster import Raster, Renderer
from engine.values import Coefficients, Floats, Picture


def render_head(head: HeadModel, z: Coefficients, renderer: Renderer) -> tuple[Picture, Raster]:
    """I_3D, (N, N, 3) RGB uint8, black where the head is not, and its raster (the renderer's own: copy it to keep it)."""
    placed = place(head.shape(z.identity, z.expression, z.gaze), z.pose)
    return render_mesh(head, placed, head.albedo(z.texture), z.illumination, renderer)


def render_mesh(
    head: HeadModel, placed: Floats, albedo: Floats, illumination: Floats, renderer: Renderer
) -> tuple[Picture, Raster]:
    """The same for (V, 3) vertices already in camera space and their (V, 3) albedo."""
    colours = shade(albedo, vertex_normals(placed, head.triangles), illumination)
    raster = renderer.rasterise(project(placed), head.triangles)
    return to_picture(renderer.interpolate(raster, head.triangles, colours)), raster


def to_picture(values: Floats) -> Picture:
    """(N, N, 3) values 0…1 → uint8, rounded and clipped."""
    picture = np.empty(values.shape, np.uint8)
    _quantise(values.reshape(-1), picture.reshape(-1))
    return picture


@numba.njit(cache=True, nogil=True)
def _quantise(values: Floats, picture: Picture) -> None:
    for i in range(values.size):
        picture[i] = np.uint8(min(max(values[i] * np.float32(255.0) + np.float32(0.5), np.float32(0.0)), np.float32(255.0)))
