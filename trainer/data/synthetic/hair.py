"""Hair of many kinds as shells over the skull, and headwear made the same way."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.ramps import smooth_step
from engine.values import Floats
from trainer.data.synthetic.noise import between, chance, smooth_noise
from trainer.data.synthetic.pieces import TEXTURE_PX, MaskLabel, WornMesh, opaque, sheet_triangles
from trainer.data.synthetic.shells import FALL_ROWS, curtain, hairline, shell, skull_points
from trainer.data.synthetic.skull import COLUMNS, ROWS, azimuths

FRINGE_RAD = 0.9
_SHORT, _LONG = (12.0, 1.0), (16.0, 1.0)

# Hair colours, sRGB, and how often they occur.
_COLOURS = (
    ((0.07, 0.06, 0.06), 0.3), ((0.17, 0.12, 0.09), 0.25), ((0.30, 0.21, 0.14), 0.17), ((0.48, 0.35, 0.22), 0.08),
    ((0.68, 0.55, 0.36), 0.07), ((0.44, 0.20, 0.10), 0.04), ((0.52, 0.51, 0.50), 0.06), ((0.80, 0.79, 0.77), 0.03),
)  # fmt: skip


def draw_hair_colour(rng: np.random.Generator) -> Floats:
    """(3,) sRGB."""
    index = rng.choice(len(_COLOURS), p=np.array([share for _, share in _COLOURS]))
    return np.clip(np.array(_COLOURS[index][0]) * rng.uniform(0.75, 1.3) + rng.normal(0, 0.012, 3), 0.03, 0.95).astype(np.float32)


def draw_hair(rng: np.random.Generator, radii: Floats, colour: Floats) -> list[WornMesh]:
    """The hair of one person: nothing (the head's own painted stubble), short, curly, tied back or long."""
    kinds: tuple[tuple[Callable[[np.random.Generator, Floats, Floats], list[WornMesh]], float], ...] = (
        (lambda *_: [], 0.1), (_short, 0.38), (_curly, 0.1), (_tied, 0.1), (_long, 0.32),
    )  # fmt: skip
    index = rng.choice(len(kinds), p=[share for _, share in kinds])
    return kinds[index][0](rng, radii, colour)


def _short(rng: np.random.Generator, radii: Floats, colour: Floats) -> list[WornMesh]:
    points = skull_points(radii)
    above = _above(rng, points, between(rng, 0.0, 0.22) if chance(rng, 0.4) else 0.0)
    top = smooth_step(points[..., 1], 0.45, 1.15)
    thickness = between(rng, 0.03, 0.1) + between(rng, 0.03, 0.3) * top + 0.03 * _noise(rng, (10, 14))
    thickness += 0.25 * rng.random() ** 2 * top * _side(rng)
    return [shell(radii, above, _positive(thickness), between(rng, 0.08, 0.3), _strands(rng, colour), MaskLabel.HAIR, _SHORT)]


def _curly(rng: np.random.Generator, radii: Floats, colour: Floats) -> list[WornMesh]:
    points = skull_points(radii)
    above = _above(rng, points, 0.0)
    volume = between(rng, 0.12, 0.6)
    thickness = (
        volume * (0.7 + 0.3 * smooth_step(points[..., 1], 0.3, 1.2)) + 0.03 * _noise(rng, (28, 40)) + 0.03 * _noise(rng, (8, 12))
    )
    return [shell(radii, above, _positive(thickness), 0.25, _curls(rng, colour), MaskLabel.HAIR, (6.0, 3.0))]


def _tied(rng: np.random.Generator, radii: Floats, colour: Floats) -> list[WornMesh]:
    points = skull_points(radii)
    thickness = between(rng, 0.03, 0.09) + 0.01 * _noise(rng, (8, 12))
    strands = _strands(rng, colour)
    cap = shell(radii, _above(rng, points, 0.0), _positive(thickness), 0.15, strands, MaskLabel.HAIR, _SHORT)
    where = np.array([between(rng, -0.1, 0.1), between(rng, 0.3, 1.7), between(rng, -1.0, -0.4)])
    size = between(rng, 0.2, 0.42)
    return [cap, _ball(where, size, strands)]


def _long(rng: np.random.Generator, radii: Floats, colour: Floats) -> list[WornMesh]:
    points = skull_points(radii)
    opening = between(rng, 0.6, 1.05)
    fringe = between(rng, 0.1, 0.4) if chance(rng, 0.35) else 0.0
    above = _above(rng, points, 0.0)
    above += fringe * smooth_step(np.abs(azimuths()), FRINGE_RAD, 0.6)
    curtains = smooth_step(np.abs(azimuths()), opening - 0.25, opening + 0.05)
    above = np.maximum(above, 0.4 * curtains * smooth_step(points[..., 1], -0.1, 0.2) - 0.05)
    volume = between(rng, 0.08, 0.26)
    over_ears = 0.16 * np.exp(-(((np.abs(azimuths()) - 1.8) / 0.5) ** 2)) * smooth_step(points[..., 1], 0.9, 0.4)
    thickness: Floats = (
        volume * (0.6 + 0.5 * smooth_step(points[..., 1], 1.1, 0.4) * smooth_step(np.abs(azimuths()), 0.6, 1.6))
        + 0.015 * _noise(rng, (8, 14))
        + over_ears
    )
    thickness = _positive(thickness)
    strands = _curls(rng, colour) if chance(rng, 0.25) else _strands(rng, colour)
    repeat = (_LONG[0] if strands[0, 0, 3] >= 0 else 6.0, 1.0)
    cap = shell(radii, above, thickness, between(rng, 0.06, 0.2), strands, MaskLabel.HAIR, repeat)
    length = between(rng, 0.5, 3.2) * (1 + 0.05 * rng.standard_normal(COLUMNS).astype(np.float32))
    down = np.linspace(0, 1, FALL_ROWS, dtype=np.float32)[:, None]
    waves = between(rng, 0.0, 0.06) * np.sin(down * between(rng, 4, 20) + smooth_noise(rng, (1, COLUMNS), (1, 12)) * 2)
    sway = between(rng, -0.15, 0.25) * down**1.3 + waves + 0.05 * down * smooth_noise(rng, (FALL_ROWS, COLUMNS), (3, 20))
    fall = curtain(radii, thickness, length.astype(np.float32), opening, sway.astype(np.float32), strands, MaskLabel.HAIR, repeat)
    return [cap, fall]


def _above(rng: np.random.Generator, points: Floats, receded_dm: float) -> Floats:
    """The hairline of one person: moved, uneven, receded at the temples by ``receded_dm``."""
    above = hairline(points) + between(rng, -0.06, 0.06) + 0.035 * _noise(rng, (10, 26))
    temples = np.exp(-(((np.abs(azimuths()) - 0.55) / 0.25) ** 2)) + 0.5 * np.exp(-((azimuths() / 0.6) ** 2))
    return np.asarray(above - receded_dm * temples, np.float32)


def _side(rng: np.random.Generator) -> Floats:
    """(COLUMNS,) 0…1, one side of the head: where the parting throws the hair."""
    return np.asarray(0.5 + 0.5 * np.sin(azimuths() + rng.uniform(-np.pi, np.pi)), np.float32)


def _noise(rng: np.random.Generator, cells: tuple[int, int]) -> Floats:
    noise = smooth_noise(rng, (ROWS, COLUMNS - 1), cells)
    noise = np.concatenate([noise, noise[:, :1]], 1)
    noise[0] = noise[0].mean()
    return noise


def _positive(thickness: Floats) -> Floats:
    return np.maximum(thickness, 0.015).astype(np.float32)


def _strands(rng: np.random.Generator, colour: Floats) -> Floats:
    """A texture of strands that run down, opaque but for gaps in which a little of what is behind shows."""
    size = (TEXTURE_PX, TEXTURE_PX)
    fine, coarse = smooth_noise(rng, size, (4, 128)), smooth_noise(rng, size, (3, 24))
    tone = 1 + 0.16 * fine + 0.16 * coarse
    streaks = np.clip(coarse, 0, 2)[..., None] * (rng.uniform(0, 0.12) * np.array([1.0, 0.8, 0.55]))
    texture = opaque(colour * tone[..., None] + streaks)
    texture[..., 3] = np.clip(0.97 + 0.12 * fine, 0.75, 1)
    return texture


def _curls(rng: np.random.Generator, colour: Floats) -> Floats:
    """A texture of curls: bright rims, dark hollows, as many ways as there are."""
    size = (TEXTURE_PX, TEXTURE_PX)
    rings = np.sin(4 * smooth_noise(rng, size, (24, 24)) + 2 * smooth_noise(rng, size, (48, 48)))
    texture = opaque(colour * (1 + 0.3 * rings + 0.12 * smooth_noise(rng, size, (100, 100)))[..., None])
    texture[..., 3] = np.clip(0.9 + 0.2 * rings, 0.6, 1)
    return texture


def _ball(centre: Floats, radius: float, texture: Floats) -> WornMesh:
    rows, columns = 14, 20
    angle, around = np.meshgrid(np.linspace(0, np.pi, rows), np.linspace(-np.pi, np.pi, columns), indexing="ij")
    unit = np.stack([np.sin(angle) * np.sin(around), np.cos(angle), np.sin(angle) * np.cos(around)], -1)
    uv = np.stack([around / np.pi * 2, angle / np.pi], -1)
    ones = np.ones(rows * columns, np.float32)
    vertices = (centre + unit * radius).reshape(-1, 3).astype(np.float32)
    return WornMesh(
        vertices,
        sheet_triangles(rows, columns),
        uv.reshape(-1, 2).astype(np.float32),
        ones,
        ones,
        texture,
        MaskLabel.HAIR,
        veil="cover",
    )
