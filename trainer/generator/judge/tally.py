"""Adding up what was seen of each method, picture by picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.values import Coefficients, Floats
from trainer.generator.judge.panel import Seen
from trainer.metrics.frechet import frechet_distance

Row = dict[str, float]


def mean_of(rows: Sequence[Mapping[str, float]]) -> Row:
    """The mean of each measure over the rows that have it."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: float(np.mean([row[name] for row in rows if name in row])) for name in names}


class Tally:
    """Measures of one method. ``similarities``: of identity, one per pair, in the order of the pairs."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._features: list[Floats] = []
        self._asked = 0
        self.similarities: list[float] = []

    def add(self, seen: Seen | None, row: Mapping[str, float]) -> None:
        """One picture in which ``seen`` was found, or no face."""
        self._asked += 1
        self._rows.append(dict(row))
        if seen is not None:
            self._features.append(seen.features)

    def summary(self, real: Sequence[Floats], frechet: str) -> Row:
        """The mean of each measure over the pictures that have it, the Fréchet distance, called ``frechet``, to the features of
        ``real``, and the share of pictures in which the tracker found a face."""
        means = mean_of(self._rows)
        enough = min(len(self._features), len(real)) > 1
        distance = frechet_distance(np.stack(self._features), np.stack(real)) if enough else float("nan")
        return {**means, frechet: distance, "face found": len(self._features) / max(self._asked, 1)}


def similarity(a: Seen, b: Seen) -> float:
    """The cosine of two identities, −1…1."""
    return float(a.identity @ b.identity)


def departures(found: Coefficients, wanted: Coefficients) -> Row:
    """The paper's Exp, Angle [rad] and Gaze (section 4.1): Euclidean distances of β, of the three angles, of τ."""
    return {
        "Exp": float(np.linalg.norm(found.expression - wanted.expression)),
        "Angle": float(np.linalg.norm(found.pose[:3] - wanted.pose[:3])),
        "Gaze": float(np.linalg.norm(found.gaze - wanted.gaze)),
    }
