"""The exponential moving average of a network's parameters: what is evaluated and shipped."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import nn

Net = TypeVar("Net", bound=nn.Module)


class Average(Generic[Net]):
    """``network`` follows the trained one with a half-life counted in images, so that it does not depend on the batch size."""

    def __init__(self, trained: Net, half_life_images: float) -> None:
        self.network = copy.deepcopy(trained).eval().requires_grad_(False)
        self._half_life = half_life_images

    @torch.no_grad()
    def follow(self, trained: Net, batch: int, images: int) -> None:
        """After a step of ``batch`` images, ``images`` in all: early on the average is young, too."""
        half_life = min(self._half_life, max(images, 1) * 0.1)
        keep = 0.5 ** (batch / half_life)
        for mean, new in zip(self.network.parameters(), trained.parameters(), strict=True):
            mean.lerp_(new, 1 - keep)
        for kept, now in zip(self.network.buffers(), trained.buffers(), strict=True):
            kept.copy_(now)
