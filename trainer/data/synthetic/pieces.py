"""Meshes that a synthetic person wears: hair, clothes, glasses; and the tools to make them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np

from engine.render.raster import Indices
from engine.values import Floats

TEXTURE_PX = 256
Veil = Literal["none", "cover", "glass"]


class MaskLabel(IntEnum):
    """What a pixel of ``Sample.mask`` shows."""

    BACKGROUND = 0
    SKIN = 1  # face, ears, scalp
    EYES = 2
    MOUTH = 3  # its inside: teeth, tongue, gums
    NECK = 4  # what does not follow the head entirely
    HAIR = 5
    HEADWEAR = 6
    GLASSES = 7
    BODY = 8


Mesh = tuple[Floats, Indices, Floats]  # vertices, triangles, uv


@dataclass(frozen=True, eq=False)
class WornMesh:
    """One thing beside the head. V vertices, T triangles.

    vertices   (V, 3) dm, at rest, in head coordinates
    triangles  (T, 3)
    uv         (V, 2) place in the texture, which repeats beyond 0…1; u to the right
    follow     (V,)   0…1, how far a vertex moves with the head, else with the body
    opacity    (V,)   0…1
    texture    (S, S, 4) float32 sRGB 0…1 under even white light, and opacity
    layer      what it is
    veil       "none": solid, opacity ignored; "cover" (hair, hats) and "glass" are drawn over the solid pieces with their opacity
    shine      0…1, strength of highlights
    """

    vertices: Floats
    triangles: Indices
    uv: Floats
    follow: Floats
    opacity: Floats
    texture: Floats
    layer: MaskLabel
    veil: Veil = "none"
    shine: float = 0.0


def sheet_triangles(rows: int, columns: int, closed: bool = False) -> Indices:
    """The two triangles of every cell of a grid of vertices, row after row; ``closed`` joins the last column to the first."""
    across = columns if closed else columns - 1
    i, j = np.mgrid[: rows - 1, :across]
    k = (j + 1) % columns
    a, b, c, d = (index.ravel() for index in (i * columns + j, i * columns + k, (i + 1) * columns + j, (i + 1) * columns + k))
    return np.asarray(np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)]), np.int32)


def tube(path: Floats, radius: Floats, sides: int, closed: bool) -> Mesh:
    """A tube along (N, 3) points with (N,) radii: vertices, triangles, uv."""
    ahead = np.roll(path, -1, 0) - np.roll(path, 1, 0)
    if not closed:
        ahead[0], ahead[-1] = path[1] - path[0], path[-1] - path[-2]
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True) + 1e-9
    steep = np.abs(ahead @ (0, 1, 0)) > 0.9
    aside = np.cross(ahead, np.where(steep[:, None], (0.0, 0.0, 1.0), (0.0, 1.0, 0.0)))
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    up = np.cross(aside, ahead)
    angle = np.arange(sides) / sides * 2 * np.pi
    ring = np.cos(angle)[None, :, None] * aside[:, None] + np.sin(angle)[None, :, None] * up[:, None]
    vertices = path[:, None] + ring * radius[:, None, None]
    triangles = _around(len(path), sides, closed)
    uv = np.stack(np.meshgrid(np.arange(sides) / sides, np.arange(len(path)) / len(path)), -1)
    return vertices.reshape(-1, 3).astype(np.float32), triangles, uv.reshape(-1, 2).astype(np.float32)


def _around(length: int, sides: int, closed: bool) -> Indices:
    rows = length + closed
    triangles = sheet_triangles(rows, sides, closed=True)
    return np.asarray(triangles % (length * sides), np.int32)


def texture_grid() -> tuple[Floats, Floats]:
    """v and u of a texture's pixels, (S, S) each."""
    axis = np.arange(TEXTURE_PX, dtype=np.float32) / TEXTURE_PX
    u, v = np.meshgrid(axis, axis)
    return v, u


def solid(mesh: Mesh, texture: Floats, layer: MaskLabel, *, veil: Veil = "none", shine: float = 0.0) -> WornMesh:
    """A piece that follows the head and is opaque everywhere."""
    vertices, triangles, uv = mesh
    ones = np.ones(len(vertices), np.float32)
    return WornMesh(vertices, triangles, uv, ones, ones, texture, layer, veil, shine)


def flat_texture(colour: Floats | tuple[float, float, float], opacity: float = 1.0) -> Floats:
    """One colour everywhere."""
    texture = np.empty((TEXTURE_PX, TEXTURE_PX, 4), np.float32)
    texture[..., :3] = colour
    texture[..., 3] = opacity
    return texture


def opaque(colours: Floats) -> Floats:
    """(S, S, 3) colours → (S, S, 4) texture."""
    solid = np.ones((*colours.shape[:2], 1), np.float32)
    return np.concatenate([np.clip(colours, 0, 1).astype(np.float32), solid], -1)
