"""How far each coefficient of a network is to be believed beside the landmarks'.

It is fitted on moved photographs of people whom the network has not learned from. Rendered heads would not do: on them the
tracker, whose scores the landmarks' fit leans on, sees a quarter of what it sees on skin, and the network all that it learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.errors import InputError
from engine.head import HeadModel
from engine.regress.landmarks import LandmarkRegressor
from engine.regress.network import NetworkRegressor
from engine.values import COEFFICIENTS, Floats
from trainer.data.mirror import Mirror, mirror_of
from trainer.regressor.evaluate import look
from trainer.regressor.make import moved_portraits

SEED = 77
SHARED = (slice(80, 144), slice(251, 254), slice(257, 261))  # β, the angles and τ; the rest stays the landmarks'
FEWEST = 8  # pictures with a face


def measure_share(head: HeadModel, folder: Path, portraits: Sequence[Path], moments: int) -> Floats:
    """(261,) for the exported network in ``folder``. Raises InputError for a photograph without a face, and when too few of its
    moments show one."""
    learned = NetworkRegressor(head, folder)
    shown = moved_portraits(portraits, moments, SEED)
    seen = look(shown, {"landmarks": lambda: LandmarkRegressor(head), "network": lambda: learned})
    if len(seen.truths) < FEWEST:
        raise InputError(f"The tracker found {len(seen.truths)} faces in the moved photographs, wanted {FEWEST}: give more.")
    return fit_share(seen.found["landmarks"], seen.found["network"], seen.truths, mirror_of(head))


def fit_share(landmarks: Floats, network: Floats, truth: Floats, mirror: Mirror) -> Floats:
    """(261,) the w in 0…1 for which l + w (n − l) is nearest to the truth in the least squares of (N, 261) each; the same for the
    left and the right of a face."""
    difference, wanted = network - landmarks, truth - landmarks
    share = np.zeros(COEFFICIENTS, np.float32)
    for group in SHARED:
        dots = (difference[:, group] * wanted[:, group]).sum(0), (difference[:, group] ** 2).sum(0)
        share[group] = np.clip(dots[0] / np.maximum(dots[1], 1e-9), 0, 1)
    expression, gaze = SHARED[0], SHARED[2]
    share[expression] = (share[expression] + share[expression][mirror.expression]) / 2
    share[gaze] = (share[gaze] + share[gaze][[2, 3, 0, 1]]) / 2
    return share
