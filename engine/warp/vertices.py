"""The mesh of a portrait, vertex by vertex, in compiled loops: where it is, and what its vertices show.

They are ``engine.conventions``' place and project, ``engine.warp.mesh.facing_camera`` and ``engine.render.lighting.shade`` in one
go each; a test holds them to these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from engine.conventions import CAMERA_DISTANCE_DM, FOCAL, rotation
from engine.render.lighting import BAND_1, BAND_2, BAND_2_ZONAL
from engine.values import Floats
from engine.warp.photograph import SURE_FACING

TURN = 0.2  # by which a vertex must turn toward the viewer for better seen skin to take its place [cosine]
DOUBT = 0.2  # below ``SURE_FACING`` by so much, skin is worth nothing [cosine]
CAMERA = np.array([FOCAL, CAMERA_DISTANCE_DM], np.float32)
ONE, NONE = np.float32(1), np.float32(0)


def move(points: Floats, follow: Floats, deeper: Floats, pose: Floats, home: Floats, placed: Floats, screen: Floats) -> None:
    """(V, 3) head coordinates → placed (V, 3), camera space, and screen (V, 3), crop coordinates and depth.

    Each point is moved by its share ``follow`` (V,) of the way from the pose ``home`` (6,) to ``pose``, and is drawn ``deeper``
    (V,) [dm] than it lies.
    """
    turn, turn_home = rotation(pose[:3]), rotation(home[:3])
    _move(points, follow, deeper, turn, pose[3:], turn_home, home[3:], CAMERA, placed, screen)


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _move(points, follow, deeper, R, t, R0, t0, camera, placed, screen):  # type: ignore[no-untyped-def]
    for v in range(points.shape[0]):
        x, y, z = points[v, 0], points[v, 1], points[v, 2]
        for i in range(3):
            there = R[i, 0] * x + R[i, 1] * y + R[i, 2] * z + t[i]
            if follow[v] < ONE:
                home = R0[i, 0] * x + R0[i, 1] * y + R0[i, 2] * z + t0[i]
                there = follow[v] * there + (ONE - follow[v]) * home
            placed[v, i] = there
        depth = camera[1] - placed[v, 2]
        scale = camera[0] / depth
        screen[v, 0], screen[v, 1], screen[v, 2] = scale * placed[v, 0], -scale * placed[v, 1], depth + deeper[v]


@dataclass(frozen=True)
class VertexAppearance:
    """What the photograph shows of each vertex: (V, 2) its place and that of the nearest skin that is seen well, (V,) the cosine
    between normal and line of sight there, (V, 3) the albedo 0…1.
    """

    uv: Floats
    stretched: Floats
    facing: Floats
    albedo: Floats


def dress(skin: VertexAppearance, placed: Floats, normals: Floats, illumination: Floats, attributes: Floats) -> None:
    """(V, 3) vertices in camera space with their unit normals, (27,) γ → place u, v and colour 0…255 in attributes (V, 6).

    Skin that the photograph shows edge-on and that turns toward the viewer would be a few pixels pulled wide; it takes its
    neighbours' skin instead, the more it has turned. At rest nothing has.
    """
    light = np.ascontiguousarray(illumination.reshape(9, 3), np.float32) * np.float32(255)
    _dress(skin.uv, skin.stretched, skin.facing, skin.albedo, placed, normals, light, CAMERA[1], attributes)


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _dress(uv, stretched, facing, albedo, placed, normals, light, distance, attributes):  # type: ignore[no-untyped-def]
    sure, doubt, turn = np.float32(SURE_FACING), np.float32(DOUBT), np.float32(TURN)
    band_1, band_2, zonal = np.float32(BAND_1), np.float32(BAND_2), np.float32(BAND_2_ZONAL)
    for v in range(uv.shape[0]):
        nx, ny, nz = normals[v, 0], normals[v, 1], normals[v, 2]
        sx, sy, sz = -placed[v, 0], -placed[v, 1], distance - placed[v, 2]
        faces = (nx * sx + ny * sy + nz * sz) / np.sqrt(sx * sx + sy * sy + sz * sz)
        share = _unit((sure - facing[v]) / doubt) * _unit((faces - facing[v]) / turn)
        attributes[v, 0] = uv[v, 0] + share * (stretched[v, 0] - uv[v, 0])
        attributes[v, 1] = uv[v, 1] + share * (stretched[v, 1] - uv[v, 1])
        for k in range(3):
            linear = light[1, k] * ny + light[2, k] * nz + light[3, k] * nx
            squared = light[4, k] * nx * ny + light[5, k] * ny * nz + light[7, k] * nx * nz
            squared += light[8, k] * np.float32(0.5) * (nx * nx - ny * ny)
            bright = light[0, k] + band_1 * linear + band_2 * squared + zonal * light[6, k] * (np.float32(3) * nz * nz - ONE)
            attributes[v, 3 + k] = max(albedo[v, k] * bright, NONE)


@numba.njit(inline="always")
def _unit(value):  # type: ignore[no-untyped-def]
    return min(max(value, NONE), ONE)
