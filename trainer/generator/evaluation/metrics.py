"""Metrics of one method: sums over its pictures, and how a sequence of them moves beside the one that drives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from engine.values import BLINKS, Coefficients, Floats
from trainer.generator.evaluation.models import MeasuredFace
from trainer.metrics.frechet import frechet_distance
from trainer.metrics.intervals import Interval, mean_over_people, ratio_over_people
from trainer.metrics.motion import SHUT, channels, correlations, gaze_of, jitter, lag, precision_recall

MetricRow = dict[str, float]
LEAST_PEOPLE = 3  # of which an interval says anything


def mean_of(rows: Sequence[Mapping[str, float]]) -> MetricRow:
    """The mean of each measure over the rows that have it."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: float(np.mean([row[name] for row in rows if name in row])) for name in names}


class MetricAccumulator:
    """Measures of one method. ``similarities``: of identity, one per pair, in the order of the pairs; ``people``: whose each
    picture is."""

    def __init__(self) -> None:
        self._rows: list[MetricRow] = []
        self.people: list[str] = []
        self._features: list[Floats] = []
        self._asked = 0
        self.similarities: list[float] = []

    def add(self, seen: MeasuredFace | None, row: Mapping[str, float], person: str = "") -> None:
        """One picture of a person, in which ``seen`` was found, or no face."""
        self._asked += 1
        self.people.append(person)
        self._rows.append(dict(row))
        if seen is not None:
            self._features.append(seen.features)

    @property
    def measures(self) -> list[str]:
        """All that was measured in some picture, in the order in which it first was."""
        return list(dict.fromkeys(name for row in self._rows for name in row))

    def values(self, measure: str) -> Floats:
        """(N,) of every picture; NaN where it was not measured."""
        return np.array([row.get(measure, np.nan) for row in self._rows])

    def summary(self, real: Sequence[Floats], frechet: str) -> MetricRow:
        """The mean of each measure over the pictures that have it, the Fréchet distance, called ``frechet``, to the features of
        ``real``, and the share of pictures in which the tracker found a face."""
        means = mean_of(self._rows)
        enough = min(len(self._features), len(real)) > 1
        distance = frechet_distance(np.stack(self._features), np.stack(real)) if enough else float("nan")
        return {**means, frechet: distance, "face found": len(self._features) / max(self._asked, 1)}


SECOND = ", second network"


def similarity(a: MeasuredFace, b: MeasuredFace) -> float:
    """The cosine of two identities, −1…1, by the first network."""
    return float(a.identity[0] @ b.identity[0])


def similarities(name: str, a: MeasuredFace, b: MeasuredFace) -> MetricRow:
    """The cosine under ``name``, and that of a second network where there is one."""
    names = (name, name + SECOND)
    return {name: float(one @ other) for name, one, other in zip(names, a.identity, b.identity, strict=False)}


def motion_errors(found: Coefficients, wanted: Coefficients) -> MetricRow:
    """The paper's Exp, Angle [rad] and Gaze (section 4.1): Euclidean distances of β, of the three angles, of τ."""
    return {
        "Exp": float(np.linalg.norm(found.expression - wanted.expression)),
        "Angle": float(np.linalg.norm(found.pose[:3] - wanted.pose[:3])),
        "Gaze": float(np.linalg.norm(found.gaze - wanted.gaze)),
    }


SUBTRACTED = ("PSNR", "ID")  # measures, with those of areas, that are compared by difference; distances are by ratio
DIVIDED = ("perceptual", "LPIPS", "Exp", "Angle", "Gaze")


def against(ours: MetricAccumulator, theirs: MetricAccumulator) -> dict[str, Interval]:
    """Measure → how much better or worse ours is in the same pictures, with the interval over people: PSNR and ID by difference,
    distances by ratio. Empty for fewer than three people."""
    found: dict[str, Interval] = {}
    if len(set(ours.people)) < LEAST_PEOPLE:
        return found
    for name in ours.measures:
        one, other = ours.values(name), theirs.values(name)
        both = ~np.isnan(one) & ~np.isnan(other)
        people = [person for person, known in zip(ours.people, both, strict=True) if known]
        kind = name.split(",")[0]
        if kind in SUBTRACTED and both.any():
            found[f"{name} +"] = mean_over_people(one[both] - other[both], people)
        elif kind in DIVIDED and both.any():
            found[f"{name} ×"] = ratio_over_people(one[both], other[both], people)
    return found


MOST_LAG = 6  # frames
_TINY = 1e-9


def curves(run: Sequence[MeasuredFace]) -> dict[str, Floats]:
    """Channel → (N,): jaw, smile, blink of the tracker; angles and horizontal gaze of the landmark fit."""
    z, scores = _vectors(run), np.stack([seen.scores for seen in run])
    return {**channels(z, scores), "gaze": gaze_of(z)[:, [0, 2]].mean(1)}


def agreement(found: Sequence[MeasuredFace], driver: Sequence[MeasuredFace]) -> dict[str, float]:
    """Correlations of two runs, frame by frame, and how many of the driver's closed eyes are closed in the pictures; nothing of
    the latter when the driver never closes them."""
    row = {f"r {name}": r for name, r in correlations(curves(found), curves(driver)).items()}
    shut, theirs = (np.stack([seen.scores[BLINKS] for seen in run]) > SHUT for run in (found, driver))
    return {**row, "blink recall": precision_recall(shut, theirs)[1]} if theirs.any() else row


def steadiness(found: Sequence[MeasuredFace], driver: Sequence[MeasuredFace]) -> dict[str, float]:
    """Of consecutive frames: jitter relative to the driver's own, and by how many frames the gaze comes later.

    Jitter is what changes from one step to the next: intended motion, being smooth, has little of it.
    """
    own, theirs = (jitter(np.diff(_vectors(run), axis=0)) for run in (found, driver))
    ratios = [own[name] / max(theirs[name], _TINY) for name in own]
    return {"jitter": float(np.mean(ratios)), "gaze lag": float(lag(curves(found)["gaze"], curves(driver)["gaze"], MOST_LAG))}


def _vectors(run: Sequence[MeasuredFace]) -> Floats:
    return np.stack([seen.z.vector() for seen in run])


def change(now: Coefficients, rest: Coefficients) -> Coefficients:
    """By how much expression, pose and gaze differ from rest."""
    return replace(now, expression=now.expression - rest.expression, pose=now.pose - rest.pose, gaze=now.gaze - rest.gaze)
