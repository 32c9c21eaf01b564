"""The tracker's 478 points on the head: random heads are rendered and tracked, and the places on the surface are sought whose
pictures lie nearest to the tracker's points in all of them.

That is done once per mesh (``python -m trainer head --track``); what it finds is kept in ``landmarks.csv`` beside this file,
so that building the head needs no tracker and gives the same bits everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from engine.conventions import place, project
from engine.errors import AssetError
from engine.head.model import HeadModel
from engine.head.parts import Part
from engine.render import create_renderer
from engine.render.raster import Renderer
from engine.render.render import render_mesh
from engine.track import Tracker
from engine.values import LANDMARKS, Coefficients, Floats, Picture
from trainer.head.source import Doubles, Integers

FOUND_POINTS = Path(__file__).with_name("landmarks.csv")
_PARTNERS = Path(__file__).with_name("mirror.csv")  # of each point of mediapipe's face mesh, the one across the middle
HEADS = 200
_SEED = 7
_DISTANCE_DM = 3.5  # behind the origin, so that the whole head is in the picture
_BACKGROUND = (96, 108, 118)
_FIRST_IRIS = 468
_OUTLIER_PX = 15.0  # of 512: a point farther away costs no more
_STEPS = 6  # the grid on a triangle that the second search tries

# A picture → the tracker's (478, 2 or 3) points in pixels, or None when it finds no face.
Track = Callable[[Picture], "Floats | None"]


def find_points(head: HeadModel, renderer: Renderer, track: Track, heads: int = HEADS) -> tuple[Doubles, int]:
    """(478, 3) where the points lie on the mean head, both sides alike, and how many of the random heads were found."""
    rng = np.random.default_rng(_SEED)
    views = [view for index in range(heads) if (view := _view(head, renderer, track, _random_head(rng, index))) is not None]
    if len(views) < heads / 2:
        raise AssetError(f"the tracker found a face in {len(views)} of {heads} rendered heads; half of them are needed")
    screens, tracked = (np.stack(arrays) for arrays in zip(*views, strict=True))
    irises = np.arange(LANDMARKS) >= _FIRST_IRIS
    points = np.empty((LANDMARKS, 3))
    for own, parts in ((irises, (Part.EYE_LEFT, Part.EYE_RIGHT)), (~irises, (Part.SKIN,))):
        triangles = head.triangles[np.isin(head.part, parts)].astype(np.int64)
        points[own] = _search(screens, tracked[:, own], head.mean_shape.astype(np.float64), triangles)
    return symmetric(points), len(views)


def symmetric(points: Doubles) -> Doubles:
    """(478, 3), each point averaged with the mirror image of its partner on the other side; irises are left alone."""
    partner = np.loadtxt(_PARTNERS, dtype=np.int64)[:_FIRST_IRIS]
    averaged = points.copy()
    averaged[:_FIRST_IRIS] = (points[:_FIRST_IRIS] + points[partner] * [-1, 1, 1]) / 2
    return averaged


def _search(screens: Floats, tracked: Floats, shape: Doubles, triangles: Integers) -> Doubles:
    """(N, V, 2) pixels of the vertices and (N, K, 2) of the points in N views → (K, 3) the best places on the mean head."""
    vertices = np.unique(triangles)
    cost = np.zeros((tracked.shape[1], len(vertices)), np.float32)
    for screen, points in zip(screens, tracked, strict=True):
        away = points[:, None] - screen[None, vertices]
        cost += np.minimum(np.sqrt((away**2).sum(-1)), _OUTLIER_PX)
    nearest = vertices[cost.argmin(1)]
    return np.stack([_refine(screens, tracked[:, k], shape, triangles, int(best)) for k, best in enumerate(nearest)])


def _refine(screens: Floats, tracked: Floats, shape: Doubles, triangles: Integers, vertex: int) -> Doubles:
    """The best of a grid of places on the triangles around a vertex and their neighbours, for one (N, 2) point."""
    around = np.unique(triangles[(triangles == vertex).any(1)])
    near = triangles[np.isin(triangles, around).any(1)]
    grid = np.array([(i, j, _STEPS - i - j) for i in range(_STEPS + 1) for j in range(_STEPS + 1 - i)]) / _STEPS
    seen = np.einsum("gc,ntci->ntgi", grid, screens[:, near])
    distance = np.sqrt(((seen - tracked[:, None, None]) ** 2).sum(-1))
    triangle, place_in_it = np.unravel_index(np.minimum(distance, _OUTLIER_PX).mean(0).argmin(), (len(near), len(grid)))
    best: Doubles = grid[place_in_it] @ shape[near[triangle]]
    return best


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
    weights: Doubles = np.stack([1 - v - w, v, w], 1)
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


def _view(head: HeadModel, renderer: Renderer, track: Track, z: Coefficients) -> tuple[Floats, Floats] | None:
    """One head, rendered and tracked: (V, 2) pixels of its vertices and (478, 2) of the tracker's points."""
    placed = place(head.shape(z.identity, z.expression, z.gaze), z.pose)
    picture, raster = render_mesh(head, placed, head.albedo(z.texture), z.illumination, renderer)
    picture[raster.triangle < 0] = _BACKGROUND
    points = track(picture)
    if points is None:
        return None
    return (project(placed)[:, :2] + 1) * np.float32(renderer.size / 2), points[:, :2]


_SIZE_PX = 512


def track_points(head: HeadModel, heads: int = HEADS) -> tuple[Doubles, int]:
    """``find_points`` with mediapipe."""
    with Tracker(mode="picture") as tracker:

        def track(picture: Picture) -> Floats | None:
            faces = tracker.find_all(picture)
            return faces[0].landmarks if faces else None

        return find_points(head, create_renderer("cpu", _SIZE_PX), track, heads)
