"""The tracker's 478 points on the head: random heads are rendered and tracked, and where its points land is averaged.

That is done once per mesh (``python -m trainer head --track``); what it finds is kept in ``landmarks.csv`` beside this file,
so that building the head needs no tracker and gives the same bits everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from engine.conventions import place
from engine.errors import AssetError
from engine.head.model import HeadModel
from engine.head.parts import Part
from engine.render.raster import Renderer
from engine.render.render import render_mesh
from engine.values import LANDMARKS, Coefficients, Floats, Picture
from trainer.head.source import Doubles, Integers

FOUND_POINTS = Path(__file__).with_name("landmarks.csv")
HEADS = 200
_SEED = 7
_DISTANCE_DM = 3.5  # behind the origin, so that the whole head is in the picture
_FACING = 0.35  # cosine below which a surface is seen too flatly to say where a point lies

# A picture → the tracker's (478, 2 or 3) points in pixels, or None when it finds no face.
Track = Callable[[Picture], "Floats | None"]


def find_points(head: HeadModel, renderer: Renderer, track: Track, heads: int = HEADS) -> tuple[Doubles, int]:
    """(478, 3) where the points lie on the mean head (their median over random heads), and how many heads were found."""
    rng = np.random.default_rng(_SEED)
    hits: list[Doubles] = []
    for index in range(heads):
        hit = _hits(head, renderer, track, _random_head(rng, index))
        if hit is not None:
            hits.append(hit)
    if len(hits) < heads / 2:
        raise AssetError(f"the tracker found a face in {len(hits)} of {heads} rendered heads; half of them are needed")
    return np.nanmedian(np.stack(hits), axis=0), len(hits)


def load_points(path: Path = FOUND_POINTS) -> Doubles:
    """(478, 3) the points found before. Raises AssetError."""
    try:
        points = np.loadtxt(path, delimiter=",")
    except OSError as error:
        raise AssetError(f"the landmark points are missing at {path}: find them by `python -m trainer head --track`") from error
    if points.shape != (LANDMARKS, 3):
        raise AssetError(f"{path} must hold {LANDMARKS} points of 3 numbers, got {points.shape}: find them again by --track")
    return points


def save_points(points: Doubles, path: Path = FOUND_POINTS) -> None:
    """Keeps the points, rounded to a micrometre, in head coordinates [dm]."""
    np.savetxt(path, points, "%.5f", delimiter=",")


def nearest_on_surface(points: Doubles, vertices: Doubles, triangles: Integers) -> tuple[Integers, Doubles]:
    """(K, 3) points → (K,) nearest triangles and (K, 3) barycentric weights of the nearest point on each."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    best = np.empty(len(points), int)
    weights = np.empty((len(points), 3))
    for index, point in enumerate(points):
        candidates = _closest_weights(point, a, b, c)
        distance = np.linalg.norm(candidates[:, :1] * a + candidates[:, 1:2] * b + candidates[:, 2:] * c - point, axis=1)
        best[index] = int(distance.argmin())
        weights[index] = candidates[best[index]]
    return best, weights


def _closest_weights(point: Doubles, a: Doubles, b: Doubles, c: Doubles) -> Doubles:
    """Barycentric weights (T, 3) of the point of each triangle that is nearest to one point (inside, or on the nearest edge)."""
    ab, ac, ap = b - a, c - a, point - a
    d00, d01, d11 = (ab * ab).sum(1), (ab * ac).sum(1), (ac * ac).sum(1)
    d20, d21 = (ap * ab).sum(1), (ap * ac).sum(1)
    scale = np.maximum(d00 * d11 - d01 * d01, 1e-18)
    v, w = (d11 * d20 - d01 * d21) / scale, (d00 * d21 - d01 * d20) / scale
    weights = np.stack([1 - v - w, v, w], 1)
    outside = weights.min(1) < 0
    corners = (a, b, c)
    best = np.full(len(a), np.inf)
    for k in range(3):
        p, q = corners[k], corners[(k + 1) % 3]
        edge = q - p
        t = np.clip(((point - p) * edge).sum(1) / np.maximum((edge**2).sum(1), 1e-18), 0, 1)
        distance = np.linalg.norm(p + t[:, None] * edge - point, axis=1)
        nearer = outside & (distance < best)
        best[nearer] = distance[nearer]
        weights[nearer] = 0
        weights[nearer, k], weights[nearer, (k + 1) % 3] = 1 - t[nearer], t[nearer]
    return weights


def _random_head(rng: np.random.Generator, index: int) -> Coefficients:
    """A person, a light and a pose; every fourth straight ahead, where cheeks and brows are seen best."""
    z = Coefficients.neutral()
    z.identity[:] = rng.normal(size=80) * 0.8
    z.texture[:] = rng.normal(size=80) * 0.7
    z.illumination[:3] = rng.uniform(0.75, 1.0)
    z.illumination.reshape(9, 3)[1:4] = rng.normal(size=(3, 1)) * [[0.12], [0.12], [0.2]] + [[0.15], [0.25], [0.0]]
    spread = 0.05 if index % 4 == 0 else 1.0
    z.pose[:3] = rng.uniform(-1, 1, 3) * [0.3 * spread, 0.55 * spread, 0.1]
    z.pose[5] = -_DISTANCE_DM
    return z


def _hits(head: HeadModel, renderer: Renderer, track: Track, z: Coefficients) -> Doubles | None:
    """(478, 3) points of the mean head that the tracker's points hit, NaN where they miss it or hit it too flatly."""
    placed = place(head.shape(z.identity, z.expression, z.gaze), z.pose)
    picture, raster = render_mesh(head, placed, head.albedo(z.texture), z.illumination, renderer)
    picture[raster.triangle < 0] = (96, 108, 118)
    points = track(picture)
    if points is None:
        return None
    column, row = np.clip(np.round(points[:, :2].T - 0.5).astype(int), 0, renderer.size - 1)
    triangle = raster.triangle[row, column]
    corners = placed[head.triangles[triangle]]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    facing = normal[:, 2] / np.maximum(np.linalg.norm(normal, axis=1), 1e-12)
    weights = raster.weights[row, column]
    weights = np.concatenate([weights, 1 - weights.sum(1, keepdims=True)], 1)
    hit = np.einsum("kc,kci->ki", weights, head.mean_shape[head.triangles[triangle]]).astype(np.float64)
    iris = np.arange(LANDMARKS) >= 468
    on_eye = np.isin(head.part[triangle], (Part.EYE_LEFT, Part.EYE_RIGHT))
    hit[(triangle < 0) | (facing < _FACING) | (iris != on_eye) & iris] = np.nan
    return hit
