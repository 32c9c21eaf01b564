"""Judging regressors side by side: on heads and portraits whose z is exact, on clips, and on a face that holds still."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from engine.crop import square_around
from engine.head import HeadModel
from engine.regress import Regressor
from engine.track import Tracker
from engine.values import COEFFICIENTS, Coefficients, Face, Floats, Picture, Square
from trainer.metrics.motion import blink_counts, channels, correlations, errors, expression_of, jitter, mean_errors

Regressors = Mapping[str, Callable[[], Regressor]]
NOISE = 2.5  # standard deviation of a still camera's noise, of 255
STILL_FRAMES, STILL_FPS = 24, 25.0


@dataclass(frozen=True)
class Curves:
    """What was seen in one clip: curves (N,) of the tracker and of each regressor, and how they agree."""

    clip: str
    judge: Mapping[str, Floats]
    found: Mapping[str, Mapping[str, Floats]]

    def agreement(self) -> dict[str, dict[str, float]]:
        """Regressor → channel → correlation with the tracker."""
        return {name: correlations(curves, self.judge) for name, curves in self.found.items()}


@dataclass(frozen=True)
class Sights:
    """What was seen in pictures whose z is known: (N, 261) truths and what each regressor found, where the tracker found a face;
    ``share`` of the pictures."""

    truths: Floats
    found: Mapping[str, Floats]
    share: float


class Exact(Protocol):
    """A picture (S, S, 3) and its exact z (261,)."""

    @property
    def image(self) -> Picture: ...
    @property
    def z(self) -> Floats: ...


def look(samples: Iterable[Exact], regressors: Regressors) -> Sights:
    """Each picture as if it were a new person's."""
    vectors: dict[str, list[Floats]] = {name: [] for name in regressors}
    truths, count = [], 0
    with Tracker("picture") as tracker:
        for sample in samples:
            count += 1
            faces = tracker.find_all(sample.image)
            if not faces:
                continue
            size = sample.image.shape[0]
            truths.append(sample.z)
            for name, make in regressors.items():
                vectors[name].append(_one(make(), faces[0], Square(size / 2, size / 2, size)).vector())
    shape = (len(truths), COEFFICIENTS)
    found = {name: np.array(rows, np.float32).reshape(shape) for name, rows in vectors.items()}
    return Sights(np.array(truths, np.float32).reshape(shape), found, len(truths) / max(count, 1))


def judge_exact(head: HeadModel, samples: Iterable[Exact], regressors: Regressors) -> dict[str, dict[str, float]]:
    """Regressor → measure → mean, over the pictures in which the tracker finds the face; ``found`` is their share."""
    seen = look(samples, regressors)
    truths = [Coefficients.from_vector(z) for z in seen.truths]
    measured = {}
    for name, vectors in seen.found.items():
        rows = [errors(head, Coefficients.from_vector(z), true) for z, true in zip(vectors, truths, strict=True)]
        measured[name] = {**mean_errors(rows), **blink_counts(vectors, seen.truths), "found": seen.share}
    return measured


def judge_still(pictures: Sequence[Picture], regressors: Regressors, seed: int = 0) -> dict[str, dict[str, float]]:
    """Regressor → jitter on faces that hold still before a noisy camera, mean over (S, S, 3) pictures with one face each."""
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in regressors}
    for number, picture in enumerate(pictures):
        faces = _still_faces(picture, np.random.default_rng([seed, number]))
        if len(faces) < STILL_FRAMES // 2:
            continue
        square = square_around(faces[0])
        for name, make in regressors.items():
            regressor = make()
            regressor.meet(faces[0], square)
            z = np.stack([regressor.regress(face, square).vector() for face in faces])
            rows[name].append(jitter(z))
    return {name: mean_errors(found) for name, found in rows.items() if found}


def judge_clip(path: Path, regressors: Regressors, stride: int = 1, most: int = 100_000) -> Curves:
    """Curves of every ``stride``-th frame of a video, at most ``most`` of them. Raises InputError."""
    from trainer.regressor.clips import read_frames  # here, because it needs a video library

    opened: dict[str, Regressor] = {name: make() for name, make in regressors.items()}
    vectors: dict[str, list[Floats]] = {name: [] for name in regressors}
    scores: list[Floats] = []
    square: Square | None = None
    with Tracker("video") as tracker:
        for number, (image, time_s) in enumerate(read_frames(path)):
            face = tracker.track(image, time_s)
            if face is None or number % stride or len(scores) >= most:
                continue
            if square is None:
                square = square_around(face)
                for regressor in opened.values():
                    regressor.meet(face, square)
            scores.append(face.blendshapes)
            for name, regressor in opened.items():
                vectors[name].append(regressor.regress(face, square).vector())
    found = {name: np.stack(z) for name, z in vectors.items()}
    judge = channels(_judged_pose(found), np.stack(scores))
    return Curves(path.name, judge, {name: channels(z, expression_of(z)) for name, z in found.items()})


def _judged_pose(found: Mapping[str, Floats]) -> Floats:
    """The tracker says no angles: those that its landmarks give are the judge's."""
    return found["landmarks"]


def _one(regressor: Regressor, face: Face, square: Square) -> Coefficients:
    regressor.meet(face, square)
    return regressor.regress(face, square)


def _still_faces(picture: Picture, rng: np.random.Generator) -> list[Face]:
    faces = []
    with Tracker("video") as tracker:
        for k in range(STILL_FRAMES):
            noisy = picture + rng.normal(0, NOISE, picture.shape)
            face = tracker.track(noisy.round().clip(0, 255).astype(np.uint8), k / STILL_FPS)
            if face is not None:
                faces.append(face)
    return faces
