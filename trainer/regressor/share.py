"""How far each coefficient of a network is to be believed beside the landmarks': fitted on rendered heads, whose z is exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.errors import InputError
from engine.head import HeadModel
from engine.regress.landmarks import LandmarkRegressor
from engine.regress.network import NetworkRegressor
from engine.values import COEFFICIENTS, Floats
from trainer.data.mirror import Mirror, mirror_of
from trainer.data.synthetic import SyntheticHeads
from trainer.regressor.evaluate import look

SEED, SIZE_PX = 77, 256  # people of the training's kind, in pictures that no training has drawn
SHARED = (slice(80, 144), slice(251, 254), slice(257, 261))  # β, the angles and τ; the rest stays the landmarks'
FEWEST = 8  # pictures with a face


def measure_share(head: HeadModel, folder: Path, pictures: int) -> Floats:
    """(261,) for the exported network in ``folder``. Raises InputError when too few pictures show a face to the tracker."""
    learned = NetworkRegressor(head, folder)
    heads = SyntheticHeads(SIZE_PX, SEED, head=head)
    samples = (heads.sample(k) for k in range(pictures))
    seen = look(samples, {"landmarks": lambda: LandmarkRegressor(head), "network": lambda: learned})
    if len(seen.truths) < FEWEST:
        raise InputError(
            f"The tracker found {len(seen.truths)} faces in {pictures} rendered heads, wanted {FEWEST}: give more --pictures."
        )
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
