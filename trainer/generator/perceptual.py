"""The perceptual distance L_p: differences of deep features, as of Johnson et al. 2016 and Zhang et al. 2018 (LPIPS).

The features are EfficientNet-Lite0's, whose ImageNet weights come in a free package; there are none of VGG in any. Each place's
features are brought to unit length, as LPIPS does, so that no scale and no channel shouts. It is a distance of its own: its
numbers are not LPIPS.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainer.regressor.lite0 import Lite0

BLOCKS = (0, 2, 4, 10)  # strides 2, 4, 8, 16
_TINY = 1e-6


class Perceptual(nn.Module):
    """Frozen; differentiable in both pictures."""

    def __init__(self, weights: Path | None) -> None:
        """``weights``: Lite0's .pth file; without it random ones (tests). Raises InputError."""
        super().__init__()
        self._network = Lite0(weights).eval().requires_grad_(False)

    def forward(self, a: Tensor, b: Tensor, weight: Tensor | None = None) -> Tensor:
        """(N, 3, H, W) −1…1 twice, ``weight`` (N, 1, H, W) of their places → (N,) ≥ 0, the mean over the scales."""
        return torch.stack([weighted(d, weight) for d in self.maps(a, b)]).mean(0)

    def maps(self, a: Tensor, b: Tensor) -> list[Tensor]:
        """The distance at each place, (N, 1, h, w) per scale, finest first."""
        return maps_between(self.features(a), self.features(b))

    def features(self, picture: Tensor) -> list[Tensor]:
        """(N, 3, H, W) −1…1 → features of ``BLOCKS``."""
        x, out = self._network.stem(picture), []
        for number, block in enumerate(self._network.blocks[: BLOCKS[-1] + 1]):
            x = block(x)
            if number in BLOCKS:
                out.append(x)
        return out


def maps_between(a: Sequence[Tensor], b: Sequence[Tensor]) -> list[Tensor]:
    """``Perceptual.maps`` of pictures whose features are known."""
    return [((_unit(x) - _unit(y)) ** 2).sum(1, keepdim=True) for x, y in zip(a, b, strict=True)]


def _unit(x: Tensor) -> Tensor:
    return x / torch.sqrt((x**2).sum(1, keepdim=True) + _TINY)


def weighted(distance: Tensor, weight: Tensor | None) -> Tensor:
    """(N, 1, h, w) of ``maps``, ``weight`` (N, 1, H, W) or None → (N,) the weighted mean."""
    if weight is None:
        return distance.mean((1, 2, 3))
    w = functional.interpolate(weight, size=distance.shape[-2:], mode="area")
    return (distance * w).sum((1, 2, 3)) / w.sum((1, 2, 3)).clamp_min(_TINY)
