"""Confidence intervals over people: pictures of one person resemble each other, so it is people that are drawn anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.values import Floats

DRAWS = 2_000
LEVEL = 95.0  # percent


@dataclass(frozen=True)
class Interval:
    """A value, and between what it lies in 95 of 100 drawings of as many people."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3g} ({self.low:.3g} … {self.high:.3g})"


def mean_over_people(values: Floats, person: Sequence[Any]) -> Interval:
    """The mean over people of each one's own mean. ``values``, ``person`` (N,): a picture each; NaN counts as not measured."""
    means = _by_person(values, person)
    means = means[~np.isnan(means)]
    return _interval(float(means.mean()), means[_draws(len(means))].mean(1))


def ratio_over_people(values: Floats, others: Floats, person: Sequence[Any]) -> Interval:
    """The mean of ``values`` over that of ``others``, of the same N pictures: below 1 where the former are smaller."""
    above, below = _by_person(values, person), _by_person(others, person)
    chosen = _draws(len(above))
    return _interval(float(above.mean() / below.mean()), above[chosen].mean(1) / below[chosen].mean(1))


def _by_person(values: Floats, person: Sequence[Any]) -> Floats:
    """(P,) means. A person whose every value is NaN stays NaN."""
    found, place = np.unique(np.asarray(person), return_inverse=True)
    known = ~np.isnan(values)
    sums = np.bincount(place, np.where(known, values, 0), len(found))
    counts = np.bincount(place, known, len(found))
    return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))


def _draws(people: int) -> NDArray[np.int64]:
    """(DRAWS, P) people drawn with replacement; always the same."""
    return np.random.default_rng(0).integers(people, size=(DRAWS, people))


def _interval(value: float, drawn: Floats) -> Interval:
    tail = (100 - LEVEL) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return Interval(value, float(low), float(high))
