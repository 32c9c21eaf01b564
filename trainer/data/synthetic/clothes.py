"""Shoulders, what is worn over them, caps and glasses."""

from __future__ import annotations

import numpy as np

from engine.ramps import smooth_step
from engine.values import Floats
from trainer.data.synthetic.noise import between, chance, smooth_noise
from trainer.data.synthetic.pieces import (
    TEXTURE_PX,
    MaskLabel,
    WornMesh,
    flat_texture,
    opaque,
    sheet_triangles,
    solid,
    texture_grid,
    tube,
)
from trainer.data.synthetic.shells import FALL_ROWS, curtain, shell, skull_points
from trainer.data.synthetic.skull import COLUMNS, ROWS, azimuths

TORSO_ROWS, TORSO_COLUMNS = 30, 65
TEXTURE_SHAPE = (TEXTURE_PX, TEXTURE_PX)
_NECK_AXIS_DM = -0.15  # depth of the neck's middle

# Cross-sections of shoulders and chest: half width, half depth, height, middle's depth [dm].
_TORSO = np.array([
    (1.00, 0.60, -1.02, -0.17), (1.35, 0.64, -1.12, -0.17), (1.65, 0.67, -1.23, -0.16), (1.93, 0.70, -1.42, -0.15),
    (2.08, 0.76, -1.78, -0.12), (2.14, 0.84, -2.4, -0.08), (2.12, 0.90, -3.2, -0.05), (2.05, 0.90, -5.5, -0.05),
])  # fmt: skip
# How the collar leaves the neck: its radius relative to the neck's lower edge and its height above that [dm].
_COLLAR = ((0.86, 0.16), (1.0, 0.06), (1.1, 0.0), (1.28, -0.05))


def draw_colour(rng: np.random.Generator) -> Floats:
    """(3,) of cloth: often dark or white, seldom loud."""
    grey, chroma = rng.beta(0.8, 1.1), abs(rng.normal(0, 0.12))
    return np.clip(0.05 + 0.85 * grey + rng.normal(0, 1, 3) * chroma, 0.03, 0.95).astype(np.float32)


def draw_torso(rng: np.random.Generator, neck: Floats, skin: Floats) -> WornMesh:
    """Neck base, shoulders and chest in clothes, from the (N, 3) lower edge of a neck; bare above the neckline, in the (3,)
    colour of the skin."""
    around = np.linspace(-np.pi, np.pi, TORSO_COLUMNS)
    rows = np.concatenate([_collar(around, neck), _sections(rng, around)])
    place = np.linspace(0, len(rows) - 1, TORSO_ROWS)
    index = np.arange(len(rows))
    sheet = np.stack([[np.interp(place, index, rows[:, j, k]) for j in range(TORSO_COLUMNS)] for k in range(3)], -1)
    sheet = sheet.transpose(1, 0, 2)
    folds = smooth_noise(rng, (TORSO_ROWS, TORSO_COLUMNS - 1), (8, 16))
    folds = np.concatenate([folds, folds[:, :1]], 1) * np.clip(place[:, None] - 3, 0, 1) * 0.02
    sheet += folds[..., None] * np.stack([np.sin(around), 0 * around, np.cos(around)], -1)
    u, v = np.meshgrid(around / (2 * np.pi) + 0.5, place / (len(rows) - 1) * (1 - 1 / TEXTURE_PX))
    uv = np.stack([u, v], -1).reshape(-1, 2).astype(np.float32)
    zeros, ones = np.zeros(len(uv), np.float32), np.ones(len(uv), np.float32)
    vertices = sheet.reshape(-1, 3).astype(np.float32)
    return WornMesh(vertices, sheet_triangles(TORSO_ROWS, TORSO_COLUMNS), uv, zeros, ones, _clothing(rng, skin), MaskLabel.BODY)


def _collar(around: Floats, neck: Floats) -> Floats:
    """(rows, columns, 3) out of the neck's edge, which it covers."""
    x, z = neck[:, 0], neck[:, 2] - _NECK_AXIS_DM
    angle = np.arctan2(x, z)
    radius, height = (np.interp(around, *_sorted(angle, value), period=2 * np.pi) for value in (np.hypot(x, z), neck[:, 1]))
    rows = [
        np.stack([np.sin(around) * radius * scale, height + lift, np.cos(around) * radius * scale + _NECK_AXIS_DM], -1)
        for scale, lift in _COLLAR
    ]
    return np.stack(rows)


def _sorted(angle: Floats, value: Floats) -> tuple[Floats, Floats]:
    order = np.argsort(angle)
    return angle[order], value[order]


def _sections(rng: np.random.Generator, around: Floats) -> Floats:
    """(rows, columns, 3) shoulders and chest of one build."""
    wide, deep, height, middle = _TORSO.T[:, :, None]
    shoulder = np.clip((wide - 0.6) / 0.6, 0, 1)
    wide = wide * (1 + shoulder * (between(rng, 0.85, 1.12) - 1))
    height = height - shoulder * between(rng, -0.05, 0.2)
    sine, cosine = np.sin(around)[None], np.cos(around)[None]
    front = 0.12 * np.clip(cosine, 0, 1) * shoulder
    x = wide * np.sign(sine) * np.abs(sine) ** 0.85
    z = middle + (deep + front) * np.sign(cosine) * np.abs(cosine) ** 0.85
    y = height - 0.22 * np.clip(cosine, 0, 1) * np.clip(1.9 - wide, 0, 1)  # lower in front than behind
    return np.stack(np.broadcast_arrays(x, y, z), -1)


def _clothing(rng: np.random.Generator, skin: Floats) -> Floats:
    """The torso's texture: u around (0.5 is the front), v from the neck down."""
    v, u = texture_grid()
    cloth = draw_cloth(rng)
    aside = np.abs(u - 0.5)
    if chance(rng, 0.3):  # jacket or shirt front
        inner = draw_colour(rng) * (1 + 0.03 * smooth_noise(rng, TEXTURE_SHAPE, (60, 60)))[..., None]
        cloth = np.where((aside < 0.08 * np.clip(1.1 - v * 1.3, 0, 1))[..., None], inner, cloth)
    depth = rng.choice([between(rng, 0.04, 0.13), between(rng, 0.13, 0.32)], p=[0.7, 0.3])
    pointed = between(rng, 0.05, 0.35) if chance(rng, 0.4) else 0.0
    line = depth + pointed * np.clip(1 - aside / 0.12, 0, 1)
    bare = smooth_step(v - line, 0.006, -0.006)[..., None]
    rim = np.exp(-(((v - line - 0.018) / 0.012) ** 2))[..., None] * rng.choice([0.0, -0.2, 0.15])
    neck = (
        skin * (1 + 0.02 * smooth_noise(rng, TEXTURE_SHAPE, (20, 20)))[..., None] * (0.72 + 0.8 * np.clip(v, 0, 0.3))[..., None]
    )
    return opaque(cloth * (1 + rim) * (1 - bare) + neck * bare)


def draw_cloth(rng: np.random.Generator) -> Floats:
    """(S, S, 3) plain, striped, chequered or printed cloth, with creases."""
    v, u = texture_grid()
    first, second = draw_colour(rng), draw_colour(rng)
    kind = rng.random()
    stripes = rng.integers(4, 24) * 2 * np.pi
    sharp = between(rng, 1, 6)
    if kind < 0.55:
        mix = np.zeros_like(u)
    elif kind < 0.7:
        mix = np.clip(0.5 + sharp * np.sin(stripes * (v if chance(rng, 0.6) else u)), 0, 1)
    elif kind < 0.82:
        mix = (np.clip(0.5 + sharp * np.sin(stripes * v), 0, 1) + np.clip(0.5 + sharp * np.sin(2 * stripes * u), 0, 1)) / 2
    else:
        cells = int(rng.integers(5, 40))
        mix = np.clip(0.5 + 2 * sharp * (smooth_noise(rng, TEXTURE_SHAPE, (cells, 2 * cells)) - 0.3), 0, 1)
    creases = 1 + 0.06 * smooth_noise(rng, TEXTURE_SHAPE, (10, 20)) + 0.025 * smooth_noise(rng, TEXTURE_SHAPE, (90, 128))
    return np.asarray((first + (second - first) * mix[..., None]) * creases[..., None], np.float32)


def draw_headwear(rng: np.random.Generator, radii: Floats) -> list[WornMesh]:
    """A cap, a woollen hat, a head scarf or headphones."""
    kinds = (_cap, _beanie, _scarf, _headphones)
    return kinds[rng.choice(len(kinds), p=[0.3, 0.2, 0.2, 0.3])](rng, radii)


def _cap(rng: np.random.Generator, radii: Floats) -> list[WornMesh]:
    points = skull_points(radii)
    height, slope = between(rng, 0.85, 1.02), between(rng, 0.12, 0.3)
    above = points[..., 1] - (height + slope * (points[..., 2] - 0.7))
    cloth = opaque(draw_cloth(rng) if chance(rng, 0.4) else _plain(rng))
    crown = shell(
        radii, above, np.full((ROWS, COLUMNS), between(rng, 0.1, 0.18), np.float32), 0.03, cloth, MaskLabel.HEADWEAR, (3, 2)
    )
    return [crown, _brim(rng, height, cloth)]


def _brim(rng: np.random.Generator, height: float, texture: Floats) -> WornMesh:
    angle = np.linspace(-1.15, 1.15, 25)[None]
    out = np.linspace(0, 1, 6)[:, None]
    reach = between(rng, 0.5, 0.75)
    x = np.sin(angle) * (0.78 + 0.02 * out)
    z = np.cos(angle) * (0.86 + 0.0 * out) + out * reach * np.cos(angle * 1.1) ** 0.8 - 0.02
    y = height + 0.02 - 0.16 * np.sin(angle) ** 2 * (0.4 + 0.6 * out) - out * between(rng, 0.0, 0.25) + 0.0 * x
    vertices = np.stack([x, y, z], -1).reshape(-1, 3).astype(np.float32)
    uv = np.stack(np.broadcast_arrays(angle / 3, out / 3), -1).reshape(-1, 2).astype(np.float32)
    ones = np.ones(len(uv), np.float32)
    return WornMesh(vertices, sheet_triangles(6, 25), uv, ones, ones, texture, MaskLabel.HEADWEAR)


def _beanie(rng: np.random.Generator, radii: Floats) -> list[WornMesh]:
    points = skull_points(radii)
    above = points[..., 1] - (between(rng, 0.72, 0.95) + between(rng, 0.2, 0.45) * (points[..., 2] - 0.7))
    ribs = 0.02 * np.sin(azimuths() * rng.integers(20, 36))
    thickness = between(rng, 0.12, 0.2) + ribs + between(rng, 0, 0.5) * smooth_step(points[..., 1], 1.15, 1.5)
    return [shell(radii, above, thickness.astype(np.float32), 0.02, opaque(_plain(rng)), MaskLabel.HEADWEAR, (3, 3))]


def _scarf(rng: np.random.Generator, radii: Floats) -> list[WornMesh]:
    """Over hair and ears, the face left free, falling on the shoulders."""
    points = skull_points(radii)
    oval = np.hypot(points[..., 0] / 0.66, (points[..., 1] - 0.15) / between(rng, 0.78, 0.95))
    above = np.where(points[..., 2] > 0, 0.6 * (oval - 1), 0.4)
    thickness = between(rng, 0.08, 0.16) + 0.012 * smooth_noise(rng, (ROWS, COLUMNS), (10, 10))
    cloth = opaque(draw_cloth(rng))
    length = np.full(COLUMNS, between(rng, 1.4, 2.0), np.float32)
    down = np.linspace(0, 1, FALL_ROWS, dtype=np.float32)[:, None]
    sway = between(rng, 0.0, 0.5) * down**1.5 - 0.25 * np.sin(np.pi * np.clip(down * 1.4, 0, 1)) + 0 * azimuths()
    hood = shell(radii, above.astype(np.float32), thickness.astype(np.float32), 0.03, cloth, MaskLabel.HEADWEAR, (2, 2))
    fall = curtain(radii, thickness.astype(np.float32), length, 1.15, sway.astype(np.float32), cloth, MaskLabel.HEADWEAR, (2, 2))
    return [hood, fall]


def _headphones(rng: np.random.Generator, radii: Floats) -> list[WornMesh]:
    angle = np.linspace(-1.75, 1.75, 33)
    high = float(radii[0].mean()) + 0.5 + 0.12
    path = np.stack([0.95 * np.sin(angle), 0.35 + (high - 0.35) * np.cos(angle), np.full_like(angle, -0.02)], -1)
    colour = draw_colour(rng) * 0.6
    pieces = [
        solid(
            tube(path, np.full(33, between(rng, 0.05, 0.09)), 8, closed=False),
            flat_texture(colour),
            MaskLabel.HEADWEAR,
            shine=0.4,
        )
    ]
    for side in (-1, 1):
        cup = np.array([[side * x, 0.22, -0.02] for x in (0.72, 0.8, 0.94, 1.02)])
        radius = between(rng, 0.28, 0.4) * np.array([0.7, 1.0, 1.0, 0.6])
        pieces.append(solid(tube(cup, radius, 20, closed=False), flat_texture(colour), MaskLabel.HEADWEAR, shine=0.4))
        end = tube(cup[[3, 3]] + np.array([[0, 0, 0], [side * 1e-3, 0, 0]]), np.array([radius[3], 1e-3]), 20, closed=False)
        pieces.append(solid(end, flat_texture(colour * 1.2), MaskLabel.HEADWEAR, shine=0.4))
    return pieces


def _plain(rng: np.random.Generator) -> Floats:
    size = (TEXTURE_PX, TEXTURE_PX)
    return np.asarray(draw_colour(rng) * (1 + 0.05 * smooth_noise(rng, size, (100, 100)))[..., None], np.float32)
