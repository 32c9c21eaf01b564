"""The coefficient regressor F (paper eq. 1): a picture to z, by a backbone and a head whose outputs are normalised."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.errors import ConfigError
from engine.values import COEFFICIENTS, EXPRESSION, GAZE, IDENTITY, ILLUMINATION, POSE, TEXTURE, Floats
from trainer.regressor.backbone import Tap
from trainer.regressor.lite0 import Lite0
from trainer.regressor.resnet50 import ResNet50

BackboneName = Literal["lite0", "resnet50"]
BACKBONES: dict[str, type[Lite0] | type[ResNet50]] = {"lite0": Lite0, "resnet50": ResNet50}
SQUEEZED = {8: 8, 16: 16, 32: 96}  # stride → channels that the live head keeps: lids and irises are fine, who and how is coarse
HIDDEN = 320

# The smallest scale of a coefficient that the head is asked to produce as 1: rare ones must not be blown up.
SMALLEST_SCALES = np.repeat(
    np.array([0.5, 0.1, 0.5, 0.1, 0.1, 0.1], np.float32), [IDENTITY, EXPRESSION, TEXTURE, ILLUMINATION, POSE, GAZE]
)


class RegressorNet(nn.Module):
    """(N, 3, S, S) RGB −1…1 → (N, 261) z. p is relative to the camera that looks at this very crop (``engine.conventions``).

    The live variant looks at three scales and keeps the place of each feature, for poses, lids and irises are about places; the
    paper's averages over the picture, as ResNet-50 does, and goes to z in one layer.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, backbone: BackboneName = "lite0", size: int = 160, weights: Path | None = None) -> None:
        """``weights``: ImageNet weights of the backbone. Raises ConfigError for an impossible size or name, InputError."""
        super().__init__()
        if backbone not in BACKBONES:
            raise ConfigError(f"The backbone must be one of {', '.join(BACKBONES)}, got '{backbone}'.")
        self.backbone = BACKBONES[backbone](weights)
        coarsest = self.backbone.taps[-1]
        if size < coarsest.stride or size % coarsest.stride:
            raise ConfigError(f"The regressor's picture size must be a multiple of {coarsest.stride}, got {size}.")
        self.size = size
        self.head = PlacedHead(self.backbone.taps, size) if backbone == "lite0" else PooledHead(coarsest)
        self.register_buffer("mean", torch.zeros(COEFFICIENTS))
        self.register_buffer("scale", torch.ones(COEFFICIENTS))

    def forward(self, pictures: Tensor) -> Tensor:
        """See the class."""
        out: Tensor = self.mean + self.scale * self.head(self.backbone(pictures))
        return out

    def normalise_by(self, z: Floats) -> None:
        """Sets what the head's 0 and 1 mean from (N, 261) examples, by their mean and standard deviation."""
        self.mean.copy_(torch.from_numpy(z.mean(0)))
        self.scale.copy_(torch.from_numpy(np.maximum(z.std(0), SMALLEST_SCALES)))


class PlacedHead(nn.Module):
    """Squeeze each scale's channels, flatten, two layers."""

    def __init__(self, taps: Sequence[Tap], size: int) -> None:
        super().__init__()
        self.squeeze = nn.ModuleList(nn.Conv2d(tap.channels, SQUEEZED[tap.stride], 1) for tap in taps)
        self.hidden = nn.Linear(sum(SQUEEZED[tap.stride] * (size // tap.stride) ** 2 for tap in taps), HIDDEN)
        self.last = _last(HIDDEN)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Features of the taps → (N, 261)."""
        flat = [functional.relu6(squeeze(f)).flatten(1) for squeeze, f in zip(self.squeeze, features, strict=True)]
        z: Tensor = self.last(torch.relu(self.hidden(torch.cat(flat, 1))))
        return z


class PooledHead(nn.Module):
    """The mean over the picture, one layer."""

    def __init__(self, tap: Tap) -> None:
        super().__init__()
        self.last = _last(tap.channels)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Features of the taps → (N, 261)."""
        z: Tensor = self.last(features[-1].mean((2, 3)))
        return z


def _last(inputs: int) -> nn.Linear:
    """Starts at zero: the untrained answer is the mean of the examples."""
    layer = nn.Linear(inputs, COEFFICIENTS)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
