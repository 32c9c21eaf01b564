"""Glasses: two rims, a bridge, two temples, and lenses that reflect a little."""

from __future__ import annotations

import numpy as np

from engine.head import HeadModel
from engine.ramps import smooth_step
from engine.values import Floats
from trainer.data.synthetic.noise import between, chance
from trainer.data.synthetic.pieces import MaskLabel, Mesh, WornMesh, flat_texture, solid, texture_grid, tube

_NOSE_BRIDGE = 168  # landmark
_POINTS = 32
_EAR_DM = (0.78, -0.08)  # half the distance of the ears' tops, their depth


def draw_glasses(rng: np.random.Generator, head: HeadModel, rest: Floats) -> list[WornMesh]:
    """For the (V, 3) head at rest."""
    landmarks = head.landmarks(rest)
    eyes = rest[head.eye_centres].mean(1)
    plane = float(landmarks[_NOSE_BRIDGE, 2]) + between(rng, 0.0, 0.05)
    width, height = between(rng, 0.2, 0.3), between(rng, 0.15, 0.26)
    power = between(rng, 2.0, 4.5)  # of the superellipse: round to rectangular
    thick = between(rng, 0.009, 0.03)
    metal = chance(rng, 0.35)
    colour = rng.uniform(0.3, 0.75) * np.array([1, 0.93, 0.8]) if metal else rng.beta(0.7, 3, 3)
    frame = flat_texture(np.asarray(colour, np.float32))
    drop = between(rng, 0.0, 0.06)
    glass = _draw_glass(rng)
    pieces, inner = [], []
    for side, eye in zip((1, -1), eyes, strict=True):
        centre = np.array([eye[0] + side * 0.02, eye[1] - drop, plane])
        rim = _rim(centre, width, height, power, side)
        pieces.append(_frame_part(tube(rim, np.full(_POINTS, thick), 6, closed=True), frame))
        pieces.append(_lens(rim, glass))
        inner.append(rim[np.argmin(np.abs(rim[:, 0]) - 0.3 * rim[:, 1])])
        outer = rim[np.argmax(np.abs(rim[:, 0]) + 0.3 * rim[:, 1])]
        ear = np.array([side * _EAR_DM[0], eyes[:, 1].mean() - 0.02, _EAR_DM[1]])
        temple = (
            outer
            + np.linspace(0, 1, 6)[:, None] * (ear - outer)
            + np.sin(np.linspace(0, np.pi, 6))[:, None] * [side * 0.05, 0, 0]
        )
        pieces.append(_frame_part(tube(temple, np.full(6, thick * 0.9), 6, closed=False), frame))
    bridge = inner[0] + np.linspace(0, 1, 8)[:, None] * (inner[1] - inner[0])
    bridge += np.sin(np.linspace(0, np.pi, 8))[:, None] * [0, 0.03, 0.04]
    pieces.append(_frame_part(tube(bridge, np.full(8, thick * 0.9), 6, closed=False), frame))
    return pieces


def _rim(centre: Floats, width: float, height: float, power: float, side: int) -> Floats:
    angle = np.arange(_POINTS) / _POINTS * 2 * np.pi
    c, s = np.cos(angle), np.sin(angle)
    x = width * np.sign(c) * np.abs(c) ** (2 / power)
    y = height * np.sign(s) * np.abs(s) ** (2 / power)
    x = x * (1 + 0.08 * s)
    return np.stack([centre[0] + side * x, centre[1] + y, centre[2] - 0.35 * (np.abs(centre[0] + side * x) - 0.3)], 1)


def _lens(rim: Floats, texture: Floats) -> WornMesh:
    """A fan of triangles inside the rim."""
    vertices = np.concatenate([rim, rim.mean(0, keepdims=True)]).astype(np.float32)
    ring = np.arange(_POINTS)
    triangles = np.stack([ring, (ring + 1) % _POINTS, np.full(_POINTS, _POINTS)], 1).astype(np.int32)
    span = vertices[:, :2] - vertices[:, :2].min(0)
    uv = (span / span.max(0) * 0.98).astype(np.float32)
    return solid((vertices, triangles, uv), texture, MaskLabel.GLASSES, veil="glass")


def _draw_glass(rng: np.random.Generator) -> Floats:
    """Clear glass with a window's reflection, seldom dark."""
    v, u = texture_grid()
    dark = chance(rng, 0.08)
    texture = flat_texture((0.05, 0.05, 0.06) if dark else (0.95, 0.97, 1.0), between(rng, 0.5, 0.9) if dark else 0.03)
    x, y, size = rng.uniform(0.1, 0.9), rng.uniform(0.3, 0.9), between(rng, 0.05, 0.2)
    window = smooth_step(np.maximum(np.abs(u - x + 0.3 * (v - y)), np.abs(v - y)).astype(np.float32), size, size * 0.7)
    strength = between(rng, 0, 0.5) if chance(rng, 0.5) else 0.0
    texture[..., 3] += window * strength * (1 - texture[..., 3])
    texture[..., :3] = np.where(window[..., None] * strength > 0, 0.95, texture[..., :3])
    return texture


def _frame_part(mesh: Mesh, texture: Floats) -> WornMesh:
    return solid(mesh, texture, MaskLabel.GLASSES, veil="glass", shine=0.6)
