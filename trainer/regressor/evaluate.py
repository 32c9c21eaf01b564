"""Judging regressors side by side: on synthetic heads whose z is exact, on clips, and on a face that holds still."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.crop import square_around
from engine.head import HeadModel
from engine.regress import Regressor
from engine.track import Tracker
from engine.values import Coefficients, Face, Floats, Picture, Square
from trainer.data.synthetic import Sample
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


def judge_synthetic(head: HeadModel, samples: Iterable[Sample], regressors: Regressors) -> dict[str, dict[str, float]]:
    """Regressor → measure → mean, over the pictures in which the tracker finds the face; ``found`` is their share."""
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in regressors}
    vectors: dict[str, list[Floats]] = {name: [] for name in regressors}
    truths, count = [], 0
    with Tracker("picture") as tracker:
        for sample in samples:
            count += 1
            faces = tracker.find_all(sample.image)
            if not faces:
                continue
            true = Coefficients.from_vector(sample.z)
            size = sample.image.shape[0]
            truths.append(sample.z)
            for name, make in regressors.items():
                found = _one(make(), faces[0], Square(size / 2, size / 2, size))
                rows[name].append(errors(head, found, true))
                vectors[name].append(found.vector())
    seen = len(truths) / max(count, 1)
    return {
        name: {**mean_errors(rows[name]), **blink_counts(np.stack(vectors[name]), np.stack(truths)), "found": seen}
        for name in regressors
    }


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
