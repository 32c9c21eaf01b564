"""Which parts of z move what is seen of a face, and how one regressor does in each against another, over people."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.values import ANGLES, BETA, EXPRESSION_NAMES, TAU, Floats
from trainer.metrics.intervals import Interval, ratio_over_people
from trainer.metrics.motion import correlation
from trainer.regressor.evaluation.measures import Observations

BY_PREFIX = {
    "lids": ("eyeBlink", "eyeWide", "eyeSquint"),
    "brows": ("brow",),
    "jaw": ("jaw",),
    "smile": ("mouthSmile",),
    "pucker, funnel": ("mouthPucker", "mouthFunnel"),
    "other lips": (
        "mouthClose", "mouthLeft", "mouthRight", "mouthFrown", "mouthDimple", "mouthStretch", "mouthRoll", "mouthShrug",
        "mouthPress", "mouthLowerDown", "mouthUpperUp",
    ),
    "cheeks, nose": ("cheek", "nose"),
}  # fmt: skip


def _columns() -> dict[str, list[int]]:
    named = list(enumerate(EXPRESSION_NAMES, BETA.start))
    found = {group: [k for k, name in named if name.startswith(starts)] for group, starts in BY_PREFIX.items()}
    return {
        "named expressions": [k for k, _ in named],
        **found,
        "angles": list(range(ANGLES.start, ANGLES.stop)),
        "gaze": list(range(TAU.start, TAU.stop)),
        "gaze aside": [TAU.start, TAU.start + 2],
        "gaze up": [TAU.start + 1, TAU.start + 3],
    }


CHANNEL_GROUPS = _columns()  # name → places in z


def by_group(seen: Observations, first: str) -> dict[str, dict[str, Interval]]:
    """Regressor (all but ``first``) → channel group → its mean distance to the truth over that of ``first``, of departures."""
    moved = seen.departures()
    ours, theirs = {name: _distances(moved, name) for name in moved.found if name != first}, _distances(moved, first)
    return {
        name: {group: ratio_over_people(far[group], theirs[group], moved.person.tolist()) for group in CHANNEL_GROUPS}
        for name, far in ours.items()
    }


def agreement_by_group(seen: Observations) -> dict[str, dict[str, float]]:
    """Regressor → channel group → correlation of departures with the truth: the mean over the group's coefficients."""
    moved = seen.departures()
    return {
        name: {
            group: float(np.mean([correlation(z[:, k], moved.truths[:, k]) for k in columns if moved.truths[:, k].std() > 0.01]))
            for group, columns in CHANNEL_GROUPS.items()
        }
        for name, z in moved.found.items()
    }


def _distances(moved: Observations, name: str) -> Mapping[str, Floats]:
    """Channel group → (N,) Euclidean distances."""
    wrong = moved.found[name] - moved.truths
    return {group: np.linalg.norm(wrong[:, columns], axis=1) for group, columns in CHANNEL_GROUPS.items()}
