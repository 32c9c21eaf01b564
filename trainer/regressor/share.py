"""How far each coefficient of a network is to be believed beside the landmarks'.

It is fitted on animated photographs of people whom the network has not learned from. Rendered heads would not do: on them the
tracker, whose scores the landmarks' fit leans on, sees a quarter of what it sees on skin, and the network all that it learned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from engine.head import HeadModel
from engine.regress.landmarks import LandmarkRegressor
from engine.regress.network import NetworkRegressor
from engine.values import ANGLES, BETA, COEFFICIENTS, TAU, Floats
from trainer.data.mirror import Mirror, mirror_of
from trainer.regressor.evaluate import look
from trainer.regressor.make import animated_portraits

SEED = 77
OTHER_EYE = [2, 3, 0, 1]


def measure_share(head: HeadModel, folder: Path, portraits: Sequence[Path], each: int, say: Callable[[str], None]) -> Floats:
    """(261,) for the exported network in ``folder``, on ``each`` moments of every portrait. ``say`` hears of those without a
    face; InputError when no other is left."""
    learned = NetworkRegressor(head, folder)
    shown = animated_portraits(portraits, each, SEED, say)
    seen = look(shown, {"landmarks": lambda: LandmarkRegressor(head), "network": lambda: learned}).departures()
    return fit_share(seen.found["landmarks"], seen.found["network"], seen.truths, mirror_of(head))


def fit_share(landmarks: Floats, network: Floats, truth: Floats, mirror: Mirror) -> Floats:
    """(261,) 0…1 of β, the angles and τ, from (N, 261) each; the rest stays the landmarks'.

    w is what brings l + w (n − l) nearest to the truth in the least squares, the same for the left and the right of a face. Of it
    counts 2w − 1, and nothing below: the network has learned from portraits that were animated in this very way, the landmarks
    have not, so one that is only as good is not believed.
    """
    difference, wanted = network - landmarks, truth - landmarks
    products, squares = (difference * wanted).sum(0), (difference**2).sum(0)
    for group, partner in ((BETA, mirror.expression), (TAU, OTHER_EYE)):
        for sums in (products, squares):
            sums[group] = sums[group] + sums[group][partner]
    share = np.zeros(COEFFICIENTS, np.float32)
    for group in (BETA, ANGLES, TAU):
        share[group] = np.clip(2 * products[group] / np.maximum(squares[group], 1e-9) - 1, 0, 1)
    return share
