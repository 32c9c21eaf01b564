"""The supervised objective: named terms, each (N,), of which a weighted sum is minimised.

Distances are not squared: the measures of the paper (Exp, Angle, Gaze) are mean Euclidean distances, and a mislabelled frame
must not outweigh a batch of good ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from engine.head import HeadModel
from engine.landmark_indices import INNER_LIPS, LEFT_IRIS, LID_MIDDLES, OUTER_LIPS, RIGHT_IRIS
from engine.values import BLINKS, EXPRESSION, EXPRESSION_NAMES, LANDMARKS, Floats
from trainer.regressor.examples import GROUPS
from trainer.regressor.geometry import HeadGeometry, split

TERMS = (
    "expression", "blinks", "angle", "shift", "gaze", "identity", "texture", "illumination", "landmarks", "lids", "vertices",
)  # fmt: skip
DEFAULT_WEIGHTS: Mapping[str, float] = {
    "expression": 5.0,
    "blinks": 8.0,
    "angle": 3.0,
    "shift": 1.0,
    "gaze": 8.0,
    "identity": 0.15,
    "texture": 0.05,
    "illumination": 0.1,
    "landmarks": 6.0,
    "lids": 20.0,
    "vertices": 0.5,
}

UPPER_LIDS, LOWER_LIDS = ([index for edges in LID_MIDDLES for index in edges[lower]] for lower in (0, 1))
FINE = 4.0  # weight of a lid, lip or iris point against another one

_TINY = 1e-8  # keeps the root of a distance differentiable at 0


@dataclass(frozen=True)
class Targets:
    """What is known of a batch. Tensors with N first.

    z          (N, 261)
    trust      (N, 6) 0…1 how far each group of z is to be believed, in the order of ``GROUPS``
    landmarks  (N, 478, 2) crop coordinates
    """

    z: Tensor
    trust: Tensor
    landmarks: Tensor


def expression_weights() -> Floats:
    """(64,) lids and the mouth's opening count more than what no one sees."""
    weights = np.ones(EXPRESSION, np.float32)
    for i, name in enumerate(EXPRESSION_NAMES):
        if name.startswith("eyeBlink") or name == "jawOpen":
            weights[i] = 2.0
        elif name.startswith(("mouth", "eyeWide", "eyeSquint")):
            weights[i] = 1.3
    return weights


def landmark_weights() -> Floats:
    """(478,) weights of mean 1: lids, lips and irises count ``FINE`` times."""
    weights = np.ones(LANDMARKS, np.float32)
    weights[[*UPPER_LIDS, *LOWER_LIDS, *OUTER_LIPS, *INNER_LIPS, *range(RIGHT_IRIS.start, LEFT_IRIS.stop)]] = FINE
    return np.asarray(weights / weights.mean(), np.float32)


class SupervisedLoss(nn.Module):
    """Terms against known coefficients and landmarks."""

    by_expression: Tensor
    by_landmark: Tensor

    def __init__(self, head: HeadModel) -> None:
        super().__init__()
        self.geometry = HeadGeometry(head)
        self.register_buffer("by_expression", torch.from_numpy(expression_weights()), persistent=False)
        self.register_buffer("by_landmark", torch.from_numpy(landmark_weights()), persistent=False)

    def forward(self, z: Tensor, targets: Targets) -> dict[str, Tensor]:
        """(N, 261) predictions → name → (N,), names as in ``TERMS``."""
        wrong = split(z - targets.z)
        trust = dict(zip(GROUPS, targets.trust.unbind(1), strict=True))
        points, vertices = self.geometry(z)
        with torch.no_grad():
            true_vertices = self.geometry(targets.z)[1]
        # vertices mix α, β and p: they count only where α is known exactly
        known = (trust["identity"] >= 1).float()
        return {
            "expression": trust["expression"] * distance(wrong["expression"] * self.by_expression),
            "blinks": trust["expression"] * wrong["expression"][:, BLINKS].abs().mean(1),
            "angle": trust["pose"] * distance(wrong["pose"][:, :3]),
            "shift": trust["pose"] * distance(wrong["pose"][:, 3:]),
            "gaze": trust["gaze"] * distance(wrong["gaze"]),
            "identity": trust["identity"] * distance(wrong["identity"]),
            "texture": trust["texture"] * distance(wrong["texture"]),
            "illumination": trust["illumination"] * distance(wrong["illumination"]),
            "landmarks": (distance(points - targets.landmarks) * self.by_landmark).mean(1),
            "lids": (lid_openings(points) - lid_openings(targets.landmarks)).abs().mean(1),
            "vertices": known * distance(vertices - true_vertices).mean(1),
        }


def distance(difference: Tensor) -> Tensor:
    """Euclidean length over the last axis."""
    return torch.sqrt((difference**2).sum(-1) + _TINY)


def lid_openings(points: Tensor) -> Tensor:
    """(N, 478, 2) → (N, 6) signed heights between upper and lower lid, three places of each eye [crop units]."""
    return points[:, LOWER_LIDS, 1] - points[:, UPPER_LIDS, 1]


def weighted_sum(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """The mean over the batch of the terms' weighted sum; terms without a weight are only reported."""
    parts = [weights[name] * term.mean() for name, term in terms.items() if weights.get(name, 0.0)]
    return torch.stack(parts).sum()
