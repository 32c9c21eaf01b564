"""The coefficient regressor F (paper eq. 1): a picture to z, by a backbone and a head whose outputs are normalised."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from engine.errors import ConfigError
from engine.values import COEFFICIENTS, EXPRESSION, GAZE, IDENTITY, ILLUMINATION, POSE, TEXTURE, Floats
from trainer.regressor.lite0 import Lite0
from trainer.regressor.resnet50 import ResNet50

BackboneName = Literal["lite0", "resnet50"]
BACKBONES: dict[str, type[Lite0] | type[ResNet50]] = {"lite0": Lite0, "resnet50": ResNet50}
SQUEEZED, HIDDEN = 96, 320  # of the live variant's head

# The smallest scale of a coefficient that the head is asked to produce as 1: rare ones must not be blown up.
SMALLEST_SCALES = np.repeat(
    np.array([0.5, 0.1, 0.5, 0.1, 0.1, 0.1], np.float32), [IDENTITY, EXPRESSION, TEXTURE, ILLUMINATION, POSE, GAZE]
)


class RegressorNet(nn.Module):
    """(N, 3, S, S) RGB −1…1 → (N, 261) z. p is relative to the camera that looks at this very crop (``engine.conventions``).

    The live variant keeps the place of each feature (squeeze, flatten, two layers), for poses and irises are about places; the
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
        stride, features = self.backbone.stride, self.backbone.features
        if size < stride or size % stride:
            raise ConfigError(f"The regressor's picture size must be a multiple of {stride}, got {size}.")
        self.size = size
        self.head = _placed_head(features, (size // stride) ** 2) if backbone == "lite0" else _pooled_head(features)
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


def _placed_head(features: int, places: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(features, SQUEEZED, 1),
        nn.ReLU6(),
        nn.Flatten(),
        nn.Linear(SQUEEZED * places, HIDDEN),
        nn.ReLU(),
        _last(HIDDEN),
    )


def _pooled_head(features: int) -> nn.Sequential:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), _last(features))


def _last(inputs: int) -> nn.Linear:
    """Starts at zero: the untrained answer is the mean of the examples."""
    layer = nn.Linear(inputs, COEFFICIENTS)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
