"""Shells over the skull: hair of many cuts, caps, hoods. Where a shell dips below the skin, there is its edge."""

from __future__ import annotations

import numpy as np

from engine.ramps import smooth_step
from engine.values import Floats
from trainer.data.synthetic.pieces import MaskLabel, WornMesh, sheet_triangles
from trainer.data.synthetic.skull import COLUMNS, MIDDLE, ROWS, azimuths, directions, polar

HIDDEN_DM = 0.06  # below the skin
FALL_ROWS = 24  # of a curtain of long hair
DROP_RAD = np.deg2rad(92.0)  # angle from the crown at which long hair leaves the skull
FALL_START = int(np.searchsorted(polar(), DROP_RAD))  # rows above that
LOWEST = float(polar()[-1])

# The hairline: height [dm] above which hair grows, by depth z, from the nape over the ears to the forehead.
_LINE_Z = (-0.9, -0.55, -0.35, -0.1, 0.1, 0.25, 0.34, 0.45, 0.62, 0.75, 0.9)
_LINE_Y = (-0.3, -0.25, 0.12, 0.4, 0.4, 0.08, 0.2, 0.62, 0.88, 0.96, 1.0)


def skull_points(radii: Floats) -> Floats:
    """(ROWS, COLUMNS, 3) the scalp in head coordinates [dm]."""
    return np.asarray(MIDDLE + directions() * radii[..., None], np.float32)


def hairline(points: Floats) -> Floats:
    """(…, 3) points of the scalp → (…) how far [dm] they lie above the usual hairline."""
    return np.asarray(points[..., 1] - np.interp(points[..., 2], _LINE_Z, _LINE_Y), np.float32)


def shell(
    radii: Floats,
    above: Floats,
    thickness: Floats,
    soft_dm: float,
    texture: Floats,
    layer: MaskLabel,
    repeat: tuple[float, float],
) -> WornMesh:
    """Hair or cloth as thick as ``thickness`` (ROWS, COLUMNS) [dm] where ``above`` is positive, beginning within ``soft_dm``."""
    lift = smooth_step(above, -0.07, soft_dm) * (thickness + HIDDEN_DM) - HIDDEN_DM
    vertices = MIDDLE + directions() * (radii + lift)[..., None]
    opacity = smooth_step(above, -0.1, 0.02)
    u, v = np.meshgrid(azimuths() / (2 * np.pi) * repeat[0], polar() / LOWEST * repeat[1])
    return WornMesh(
        vertices.reshape(-1, 3).astype(np.float32),
        sheet_triangles(ROWS, COLUMNS),
        np.stack([u.ravel(), v.ravel()], 1).astype(np.float32),
        np.ones(ROWS * COLUMNS, np.float32),
        opacity.ravel(),
        texture,
        layer,
        veil="cover",
    )


def curtain(
    radii: Floats, thickness: Floats, length: Floats, opening_rad: float, sway: Floats, texture: Floats, layer: MaskLabel,
    repeat: tuple[float, float],
) -> WornMesh:  # fmt: skip
    """Long hair: follows the skull down to its widest and then hangs, open in front by ± ``opening_rad``.

    ``length`` (COLUMNS,) [dm] below the widest part; ``sway`` (FALL_ROWS, COLUMNS) [dm] how it bends outward.
    """
    start = FALL_START
    top = skull_points(radii + thickness)[:start]
    down = np.linspace(0, 1, FALL_ROWS, dtype=np.float32)[:, None]
    outward = directions()[start - 1] * [1, 0, 1]
    hanging = top[-1][None] + outward * sway[..., None]
    hanging[..., 1] -= down * length
    vertices = np.concatenate([top, hanging[1:]])
    rows = len(vertices)
    covered = smooth_step(np.abs(azimuths()), opening_rad - 0.12, opening_rad + 0.12)
    body = np.clip(np.linspace(0, rows / start, rows, dtype=np.float32) - 1, 0, None)[:, None]
    tips = smooth_step(np.linspace(0, 1, rows, dtype=np.float32), 1.0, 0.88)[:, None]
    crown = smooth_step(np.linspace(0, rows / start, rows, dtype=np.float32), 0.4, 0.75)[:, None]
    follow = np.clip(1 - 0.75 * body / max(float(body.max()), 1e-6), 0, 1) * np.ones(COLUMNS, np.float32)
    u, v = np.meshgrid(azimuths() / (2 * np.pi) * repeat[0], np.linspace(0, 1.8 * repeat[1], rows))
    return WornMesh(
        vertices.reshape(-1, 3).astype(np.float32),
        sheet_triangles(rows, COLUMNS),
        np.stack([u.ravel(), v.ravel()], 1).astype(np.float32),
        follow.ravel().astype(np.float32),
        (covered * tips * crown).ravel().astype(np.float32),
        texture,
        layer,
        veil="cover",
    )
