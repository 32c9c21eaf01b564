"""The shell: the head with its hair as a closed surface around the head mesh, textured by the photograph.

Hair swings with the skull: what lies beside the face in the photograph is the rim of a rounded volume. When the head turns, one
side of it disappears behind the face and the back comes into view on the other. The shell's rim is the outline of the person in
the photograph; before it, it bulges toward the viewer, and behind it as far as the skull does. Every vertex shows the photograph
where it projects to, so that nothing moves at rest; the back shows hair from beside the outline, mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine.conventions import CAMERA_DISTANCE_DM, FOCAL, place, project
from engine.fill import fill
from engine.head import PersonalHead
from engine.render import Raster
from engine.render.raster import Indices
from engine.sampling import sample
from engine.values import FACE_POINTS, Floats, Mask, Picture

MIDDLE = np.array([[0.0, 0.5, 0.02], [0.0, 1.5, 0.02]], np.float32)  # of the skull, and a point above it, head coordinates [dm]
AROUND = np.radians(np.linspace(-130, 130, 75)).astype(np.float32)  # columns: angle from the crown, as far as the ear lobes
FRONT_DEG, BACK_DEG = (0, 12, 25, 38, 50, 60, 69, 77, 84, 90), (93.0, 97.0, 102.0, 108.0, 115.0, 124.0, 135.0, 147.0, 160.0)
ROWS = np.radians(FRONT_DEG + BACK_DEG).astype(np.float32)  # 0 just within the face, 90° at the outline, 180° at the back
PERSON = 0.9  # the matte's least value within the outline
INNERMOST, OUTERMOST = 0.6, 1.7  # of the bald head's radius: between them the outline is looked for
STEPS = 200
EARS = np.radians(104.0)  # angle from the crown below which the back shows hair from above, for there are ears at the outline
LOBES = np.radians(122.0)  # angle from the crown below which there is no hair before the outline
HIGHER = 0.4  # so far above, of how far below
SWEEP_DEG = 12.0  # behind the outline until the back does so fully
WITHIN_FACE, LEAST_RING = 0.94, 0.03  # of the face's radius: there the first row lies; of the ring from there to the outline
LEAST_STRIP, MOST_STRIP, BESIDE_FACE = 0.03, 0.3, 0.03  # of hair between outline and face that the back may show [crop units]
NECK_SHARE = 0.7  # depth of the nape, of the skull's
NAPE_DM = 0.02  # behind the rim
HANG = (0.06, 0.12, 0.18, 0.24)  # below the shell's ends hanging hair is looked for [crop units]
TAPER_RAD = np.radians(45)  # above the ear lobes the shell begins to be thinner
EDGE_ON, SMOOTH_RAD = 0.2, np.radians(15)  # cosine of the angle of sight; to both sides
SURE_SHARE = 0.95  # of its radius, up to which the bald head's depth is taken
HIDDEN_DM = (0.06, 0.02)  # so far the first two rows keep behind the face
FACE_MARGIN_PX, FACE_INNER_PX = 7, -6  # around the face, of 512: drawn as head mesh; within it: skin, no hair


@dataclass(frozen=True)
class HeadShell:
    """Vertices of the shell.

    uv         (S, 2) crop coordinates in the photograph
    placed     (S, 3) where it lies in camera space at the source's pose [dm]
    triangles  (T, 3)
    covers     (V,)   vertices of the head mesh that it takes the place of
    beside     (V,)   vertices of the head mesh beside the face, where there may be hair
    """

    uv: Floats
    placed: Floats
    triangles: Indices
    covers: Mask
    beside: Mask


def make_shell(head: PersonalHead, pose: Floats, screen: Floats, facing: Floats, skull: Raster, matte: Floats) -> HeadShell:
    """From the fitted head at the photograph's ``pose`` (6,): its vertices on the ``screen`` (V, 3) and which way they face (V,),
    the raster of its ``skull`` (N, N) without the neck, and the photograph's ``matte`` (N, N)."""
    middle, above = project(place(MIDDLE, pose))
    up = (above - middle)[:2] / np.linalg.norm((above - middle)[:2])
    outward = np.cos(AROUND)[:, None] * up + np.sin(AROUND)[:, None] * np.array([-up[1], up[0]])
    bald = _reach(skull.triangle >= 0, middle[:2], outward)
    upright = head.model.follow > 0.99
    radius = _outline(matte, middle[:2], outward, bald, float(screen[upright, 1].max()))
    angle = _angles(screen, middle[:2], up)
    edge = upright & (np.abs(facing) < EDGE_ON)
    rim = _smoothed_over(angle[edge], screen[edge, 2])
    hair = float(np.clip(radius - bald, 0, None)[np.abs(AROUND) < EARS].mean()) * float(rim.mean()) / FOCAL
    skull_deep = float(screen[upright, 2].max() - rim.mean()) + hair

    oval = face_oval(head, screen, len(matte))
    inner = np.minimum(WITHIN_FACE * _reach(oval > 0, middle[:2], outward), radius - LEAST_RING)
    sine, behind = np.sin(ROWS)[:, None], (np.pi / 2 + 1e-6 < ROWS)[:, None]
    reach = np.where(behind, radius * sine, inner + (radius - inner) * sine)
    seen = middle[:2] + reach[..., None] * outward
    deep = skull_deep * np.interp(np.abs(AROUND), [EARS, AROUND[-1]], [1, NECK_SHARE])
    depth = np.where(behind, rim - deep * np.cos(ROWS)[:, None], _front(skull, middle[:2], outward, inner, bald, rim))
    depth[: len(HIDDEN_DM)] += np.array(HIDDEN_DM)[:, None]
    flat = _hanging(matte, middle[:2] + radius[[0, -1], None] * outward[[0, -1]], -up)
    depth += flat * (rim + NAPE_DM - depth)
    # in the photograph the back lies farther in, for it is farther away
    scale = np.where(behind, rim, depth)[..., None] / FOCAL
    x, y = np.moveaxis(seen * scale, 2, 0)
    placed = np.stack([x, -y, CAMERA_DISTANCE_DM - depth], -1)
    uv = np.where(behind[..., None], _back(middle[:2], outward, radius, _strip(oval, middle[:2], outward, radius)), seen)
    within = upright & (np.abs(angle) < LOBES)
    beside = within & _outside(oval, FACE_INNER_PX, screen)
    covers = within & (_outside(oval, FACE_MARGIN_PX, screen) | (facing < 0))
    return HeadShell(uv.reshape(-1, 2).astype(np.float32), placed.reshape(-1, 3).astype(np.float32), _triangles(), covers, beside)


def _reach(mask: Mask, middle: Floats, outward: Floats) -> Floats:
    """(C,) how far a mask reaches from the middle in each direction [crop units]."""
    steps = np.linspace(0, 1.5, 3 * STEPS, dtype=np.float32)
    inside = sample(mask.astype(np.float32)[..., None], middle + steps[None, :, None] * outward[:, None])[..., 0] > 0.5
    return np.asarray(steps[np.maximum(len(steps) - 1 - np.argmax(inside[:, ::-1], 1), 1)], np.float32)


def _outline(matte: Floats, middle: Floats, outward: Floats, bald: Floats, chin: float) -> Floats:
    """(C,) how far the person reaches, at most down to the chin."""
    share = np.linspace(INNERMOST, OUTERMOST, STEPS, dtype=np.float32)
    points = middle + (share[None] * bald[:, None])[..., None] * outward[:, None]
    inside = (sample(matte[..., None], points)[..., 0] > PERSON) & (points[..., 1] < chin) & (np.abs(points) < 1).all(-1)
    last = np.where(inside.all(1), STEPS, np.argmin(inside, 1)) - 1
    found = share[np.maximum(last, 0)] * bald
    smooth = cv2.GaussianBlur(cv2.medianBlur(found[None].astype(np.float32), 5), (0, 0), 1.2, borderType=cv2.BORDER_REPLICATE)[0]
    return np.asarray(np.minimum(found, smooth), np.float32)


def _angles(screen: Floats, middle: Floats, up: Floats) -> Floats:
    """(V,) angle of vertices from the crown, around the middle, −π…π."""
    x, y = (screen[:, :2] - middle).T
    return np.asarray(np.arctan2(y * up[0] - x * up[1], x * up[0] + y * up[1]), np.float32)


def _smoothed_over(angle: Floats, values: Floats) -> Floats:
    """(C,) means of values (K,) at angles (K,), weighted by nearness."""
    apart = np.abs((AROUND[:, None] - angle + np.pi) % (2 * np.pi) - np.pi)
    weight = np.exp(-((apart / SMOOTH_RAD) ** 2)) + 1e-6
    return np.asarray(weight @ values / weight.sum(1), np.float32)


def _front(skull: Raster, middle: Floats, outward: Floats, inner: Floats, bald: Floats, rim: Floats) -> Floats:
    """(R, C) depth of the rows before the outline: the bald head's from the face to its outline, widened to the person's."""
    share = np.clip(inner / bald + (1 - inner / bald) * np.sin(ROWS)[:, None], 0, 1)
    surface = fill(np.where(skull.triangle >= 0, skull.depth, 0), skull.triangle >= 0)
    places = middle + (np.minimum(share, SURE_SHARE) * bald)[..., None] * outward
    depth = cv2.GaussianBlur(sample(surface[..., None], places)[..., 0], (0, 0), 0.7, borderType=cv2.BORDER_REPLICATE)
    falling = np.sqrt(np.clip(1 - share**2, 0, 1)) / np.sqrt(1 - SURE_SHARE**2)
    return np.asarray(np.where(share > SURE_SHARE, rim + (depth - rim) * falling, depth), np.float32)


def _outside(oval: Picture, margin_px: int, screen: Floats) -> Mask:
    """(V,) vertices that lie farther than a margin outside the face; one below 0 reaches into it."""
    kernel = np.ones((2 * abs(margin_px) + 1,) * 2, np.uint8)
    wide = cv2.dilate(oval, kernel) if margin_px > 0 else cv2.erode(oval, kernel)
    x, y = ((screen[:, :2] + 1) / 2 * len(oval)).astype(int).clip(0, len(oval) - 1).T
    return np.asarray(wide[y, x] == 0)


def face_oval(head: PersonalHead, screen: Floats, size: int) -> Picture:
    """(size, size) 0/1: within the tracker's points of the face."""
    points = (head.model.landmarks(screen)[:FACE_POINTS, :2] + 1) * (size / 2)
    oval = np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(oval, cv2.convexHull(points.round().astype(np.int32)), (1,))
    return oval


def _strip(oval: Picture, middle: Floats, outward: Floats, radius: Floats) -> Floats:
    """(C,) how wide the hair between outline and face is."""
    free = radius - _reach(oval > 0, middle, outward) - BESIDE_FACE
    return np.asarray(np.clip(cv2.GaussianBlur(free[None], (0, 0), 2)[0], LEAST_STRIP, MOST_STRIP), np.float32)


def _hanging(matte: Floats, ends: Floats, down: Floats) -> Floats:
    """(C,) 0…1, 1 at an end (2, 2) of the shell below which long hair hangs: there it is no thicker than what hangs."""
    below = ends + np.array(HANG)[:, None, None] * down
    hair = sample(matte[..., None], below.astype(np.float32))[..., 0].min(0)
    ends = np.where(AROUND < 0, hair[0], hair[1])
    share = np.clip((np.abs(AROUND) - LOBES + TAPER_RAD) / TAPER_RAD, 0, 1)
    return np.asarray(ends * share * share * (3 - 2 * share), np.float32)


def _back(middle: Floats, outward: Floats, radius: Floats, strip: Floats) -> Floats:
    """(R, C, 2) what the rows behind the rim show: the strip beside the outline, from the rim inward; at the ears that above."""
    angle = np.abs(AROUND)
    higher = np.where(angle > EARS, EARS - HIGHER * (angle - EARS), angle) * np.sign(AROUND)
    behind = np.clip(np.degrees(ROWS) - 90, 0, None)[:, None]
    swept = AROUND + np.clip(behind / SWEEP_DEG, 0, 1) * (higher - AROUND)
    reach, wide = (np.interp(swept, AROUND, values) for values in (radius, strip))
    inward = wide * np.tanh(reach * (1 - np.sin(ROWS)[:, None]) / wide)
    x, y = (np.interp(swept, AROUND, outward[:, axis]) for axis in (0, 1))
    return np.asarray(middle + (reach - inward)[..., None] * np.stack([x, y], -1), np.float32)


def _triangles() -> Indices:
    """(T, 3) of the grid; below the ear lobes only of what lies behind the outline."""
    rows, columns = len(ROWS), len(AROUND)
    high = np.abs(AROUND[:-1] + AROUND[1:]) / 2 < LOBES
    corner = np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)
    corner = corner[(ROWS[:-1] > np.pi / 2 - 1e-6)[:, None] | high]
    right, below, across = corner + 1, corner + columns, corner + columns + 1
    return np.concatenate([np.stack([corner, right, below], 1), np.stack([right, across, below], 1)]).astype(np.int32)
