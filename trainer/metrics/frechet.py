"""FD-EffLite0: Fréchet distance (Heusel et al. 2017) on EfficientNet-Lite0's features.

It ranks as FID does, but its numbers are others: never call it FID. The features are a covariance of 320: from fewer than about a
thousand pictures it is too high, so that only sets of one size are to be compared.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchmetrics.image.fid import FrechetInceptionDistance

from engine.values import Floats
from trainer.regressor.lite0 import Lite0

NAME = "FD-EffLite0"
SIDE = 224  # what the network was trained on


class Lite0Features(nn.Module):
    """(N, 3, H, W) RGB −1…1 → (N, 320): the mean over the picture of the last features."""

    num_features = Lite0.taps[-1].channels

    def __init__(self, weights: Path | None) -> None:
        """``weights``: as ``Lite0``'s; None gives random ones, for tests."""
        super().__init__()
        self.network = Lite0(weights).eval().requires_grad_(False)

    def forward(self, pictures: Tensor) -> Tensor:
        """See the class."""
        same = pictures.shape[2:] == (SIDE, SIDE)
        small = pictures if same else functional.interpolate(pictures, (SIDE, SIDE), mode="bilinear", antialias=True)
        last: Tensor = self.network(small)[-1]
        return last.mean((2, 3))


class _Given(nn.Module):
    """Features that are known already."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.num_features = width

    def forward(self, features: Tensor) -> Tensor:
        """The same."""
        return features


def frechet_distance(found: Floats, real: Floats) -> float:
    """Of the features of two sets of pictures, (N ≥ 2, D) and (M ≥ 2, D), see ``Lite0Features``; 0 = alike."""
    metric = FrechetInceptionDistance(feature=_Given(real.shape[1]))
    metric.update(torch.from_numpy(real), real=True)
    metric.update(torch.from_numpy(found), real=False)
    return float(metric.compute())
