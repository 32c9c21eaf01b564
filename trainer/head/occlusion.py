"""How open each place of the head is to the light (ambient occlusion), from depth maps of many directions."""

from __future__ import annotations

import numpy as np

from engine.render.lighting import vertex_normals
from engine.render.raster import Indices, Renderer
from engine.values import Floats
from trainer.head.assembly import Assembly
from trainer.head.source import Doubles

_DIRECTIONS = 160
_DEPTH_BIAS_DM = 0.02


def openness(assembly: Assembly, shape: Doubles, renderer: Renderer) -> Doubles:
    """(V,) 0…1: how much of the sky above each vertex is free, weighted by the cosine (1 = all of it)."""
    triangles = assembly.triangles.astype(np.int32)
    points = shape.astype(np.float32)
    normals = vertex_normals(points, triangles)
    seen, possible = np.zeros(len(shape)), np.full(len(shape), 1e-9)
    for direction in _sphere(_DIRECTIONS):
        cosine = np.maximum(normals @ direction, 0)
        possible += cosine
        seen += cosine * _visible(points, triangles, direction, renderer)
    return np.asarray(np.clip(seen / possible, 0, 1))


def _visible(points: Floats, triangles: Indices, direction: Floats, renderer: Renderer) -> Doubles:
    """(V,) 1 where nothing lies before the vertex as seen from far away along ``direction``."""
    across = np.cross(direction, [0.3, 0.9, 0.31])
    across /= np.linalg.norm(across)
    frame = np.stack([across, np.cross(across, direction), -direction])
    screen = (points @ frame.T).astype(np.float32)
    reach = np.abs(screen[:, :2]).max() * 1.02
    screen[:, :2] /= reach
    screen[:, 2] += 10
    raster = renderer.rasterise(screen, triangles)
    pixel = np.clip(((screen[:, :2] + 1) / 2 * renderer.size).astype(int), 0, renderer.size - 1)
    seen: Doubles = (screen[:, 2] < raster.depth[pixel[:, 1], pixel[:, 0]] + _DEPTH_BIAS_DM).astype(float)
    return seen


def _sphere(count: int) -> Floats:
    """(count, 3) directions, evenly spread (Fibonacci spiral)."""
    k = np.arange(count) + 0.5
    polar, turn = np.arccos(1 - 2 * k / count), np.pi * (1 + 5**0.5) * k
    return np.asarray(np.stack([np.cos(turn) * np.sin(polar), np.cos(polar), np.sin(turn) * np.sin(polar)], 1), np.float32)
