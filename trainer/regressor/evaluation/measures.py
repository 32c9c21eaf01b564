"""Evaluating regressors side by side: on heads and portraits whose z is exact, on clips, and on a face that holds still."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.crop import square_around
from engine.errors import InputError
from engine.head import HeadModel
from engine.regress import Regressor
from engine.track import Tracker
from engine.values import ANGLES, BETA, EXPRESSION_NAMES, TAU, Coefficients, Face, Floats, Picture, Square
from engine.video import read_frames
from trainer.metrics.motion import blink_counts, channels, correlations, errors, expression_of, jitter, mean_errors

Regressors = Mapping[str, Callable[[], Regressor]]
NOISE = 2.5  # standard deviation of a still camera's noise, of 255
STILL_FRAMES, STILL_FPS = 24, 25.0


@dataclass(frozen=True)
class ClipCurves:
    """What was seen in one clip: curves (N,) of the tracker and of each regressor, and how they agree."""

    clip: str
    tracker: Mapping[str, Floats]
    found: Mapping[str, Mapping[str, Floats]]

    def agreement(self) -> dict[str, dict[str, float]]:
        """Regressor → channel → correlation with the tracker."""
        return {name: correlations(curves, self.tracker) for name, curves in self.found.items()}


class LabelledPicture(Protocol):
    """A picture (S, S, 3), its z (261,) and whose it is."""

    @property
    def image(self) -> Picture: ...
    @property
    def z(self) -> Floats: ...
    @property
    def person(self) -> int: ...


@dataclass(frozen=True)
class Observations:
    """What was seen in pictures whose z is known, where the tracker found a face: ``seen`` of the pictures.

    truths, found[regressor] (N, 261); person (N,)
    """

    truths: Floats
    found: Mapping[str, Floats]
    person: NDArray[np.int64]
    seen: float

    def departures(self) -> Observations:
        """The same from each person's mean. A fit's constant bias is nobody's motion: the camera, too, drives by departures from
        rest, and the z of an animated portrait starts from such a fit."""
        found = {name: _departures(z, self.person) for name, z in self.found.items()}
        return Observations(_departures(self.truths, self.person), found, self.person, self.seen)


def observe(samples: Iterable[LabelledPicture], regressors: Regressors) -> Observations:
    """Each picture as if it were a new person's. Raises InputError when the tracker finds no face in any."""
    vectors: dict[str, list[Floats]] = {name: [] for name in regressors}
    truths, people, count = [], [], 0
    with Tracker("picture") as tracker:
        for sample in samples:
            count += 1
            faces = tracker.find_all(sample.image)
            if not faces:
                continue
            size = sample.image.shape[0]
            truths.append(sample.z)
            people.append(sample.person)
            for name, make in regressors.items():
                vectors[name].append(_one(make(), sample.image, faces[0], Square(size / 2, size / 2, size)).vector())
    if not truths:
        raise InputError(f"The tracker found no face in {count} pictures: give others, or more of them.")
    found = {name: np.stack(rows) for name, rows in vectors.items()}
    return Observations(np.stack(truths), found, np.array(people), len(truths) / count)


def evaluate_exact(head: HeadModel, samples: Iterable[LabelledPicture], regressors: Regressors) -> dict[str, dict[str, float]]:
    """Regressor → measure → mean, over the pictures in which the tracker finds the face; ``found`` is their share."""
    seen = observe(samples, regressors)
    truths = [Coefficients.from_vector(z) for z in seen.truths]
    measured = {}
    for name, vectors in seen.found.items():
        rows = [errors(head, Coefficients.from_vector(z), true) for z, true in zip(vectors, truths, strict=True)]
        measured[name] = {**mean_errors(rows), **blink_counts(vectors, seen.truths), "found": seen.seen}
    return measured


def evaluate_motion(whole: Observations) -> dict[str, dict[str, float]]:
    """The same of what has moved, for animated portraits: mean distances between departures from each person's mean, of the 52
    named shapes, the angles [rad] and τ; and how well channels correlate with the truth."""
    seen, named = whole.departures(), slice(BETA.start, BETA.start + len(EXPRESSION_NAMES))
    true = channels(seen.truths, expression_of(seen.truths))
    measured = {}
    for name, z in seen.found.items():
        groups = {"Exp_named": named, "Angle": ANGLES, "Gaze": TAU}
        distances = {key: float(np.linalg.norm((z - seen.truths)[:, part], axis=1).mean()) for key, part in groups.items()}
        agreement = correlations(channels(z, expression_of(z)), true)
        counts = blink_counts(whole.found[name], whole.truths)
        measured[name] = {**distances, **{f"r {key}": r for key, r in agreement.items()}, **counts, "found": whole.seen}
    return measured


def _departures(z: Floats, person: NDArray[np.int64]) -> Floats:
    out = z.copy()
    for one in np.unique(person):
        out[person == one] -= z[person == one].mean(0)
    return out


def evaluate_still(pictures: Sequence[Picture], regressors: Regressors, seed: int = 0) -> dict[str, dict[str, float]]:
    """Regressor → jitter on faces that hold still before a noisy camera, mean over (S, S, 3) pictures with one face each."""
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in regressors}
    for number, picture in enumerate(pictures):
        shown = _still_faces(picture, np.random.default_rng([seed, number]))
        if len(shown) < STILL_FRAMES // 2:
            continue
        square = square_around(shown[0][1])
        for name, make in regressors.items():
            regressor = make()
            regressor.meet(*shown[0], square)
            z = np.stack([regressor.regress(image, face, square).vector() for image, face in shown])
            rows[name].append(jitter(z))
    return {name: mean_errors(found) for name, found in rows.items() if found}


def evaluate_clip(path: Path, regressors: Regressors, stride: int = 1, most: int = 100_000) -> ClipCurves:
    """Curves of every ``stride``-th frame of a video, at most ``most`` of them. Raises InputError."""
    opened: dict[str, Regressor] = {name: make() for name, make in regressors.items()}
    vectors: dict[str, list[Floats]] = {name: [] for name in regressors}
    scores: list[Floats] = []
    square: Square | None = None
    with Tracker("video") as tracker:
        for number, frame in enumerate(read_frames(path)):
            face = tracker.track(frame.image, frame.time_s)
            if face is None or number % stride or len(scores) >= most:
                continue
            if square is None:
                square = square_around(face)
                for regressor in opened.values():
                    regressor.meet(frame.image, face, square)
            scores.append(face.blendshapes)
            for name, regressor in opened.items():
                vectors[name].append(regressor.regress(frame.image, face, square).vector())
    found = {name: np.stack(z) for name, z in vectors.items()}
    reference = channels(_tracked_pose(found), np.stack(scores))
    return ClipCurves(path.name, reference, {name: channels(z, expression_of(z)) for name, z in found.items()})


def _tracked_pose(found: Mapping[str, Floats]) -> Floats:
    """The tracker says no angles: those that its landmarks give stand for its own."""
    return found["landmarks"]


def _one(regressor: Regressor, image: Picture, face: Face, square: Square) -> Coefficients:
    regressor.meet(image, face, square)
    return regressor.regress(image, face, square)


def _still_faces(picture: Picture, rng: np.random.Generator) -> list[tuple[Picture, Face]]:
    faces = []
    with Tracker("video") as tracker:
        for k in range(STILL_FRAMES):
            noisy = (picture + rng.normal(0, NOISE, picture.shape)).round().clip(0, 255).astype(np.uint8)
            face = tracker.track(noisy, k / STILL_FPS)
            if face is not None:
                faces.append((noisy, face))
    return faces
