"""StyleGAN2's residual discriminator (Karras et al. 2020), of any size and width."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.generator.layers import EqualConv, EqualLinear, activate

GROUP = 4  # pictures whose spread a picture is judged with: consecutive ones, so that processes can share a batch


class DiscriminatorBlock(nn.Module):
    """Two 3 × 3 convolutions, the second halves; a short cut; the sum keeps its variance."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first, self.second = EqualConv(inputs, inputs, 3), EqualConv(inputs, outputs, 3)
        self.short_cut = EqualConv(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, outputs, H/2, W/2)."""
        y = activate(self.second(functional.avg_pool2d(activate(self.first(x)), 2)))
        out: Tensor = (y + self.short_cut(functional.avg_pool2d(x, 2))) / math.sqrt(2)
        return out


class Discriminator(nn.Module):
    """(N, 3, size, size) −1…1 → (N,) logits, larger for what looks real."""

    def __init__(self, size: int, width: int, widest: int, *, fold: int = 1) -> None:
        """``width`` channels at the finest resolution, twice as many at each coarser one up to ``widest``; ``fold``: pixels of a
        side that are folded into channels first, which is cheaper than a layer at full resolution."""
        super().__init__()
        finest = size // fold
        widths = [min(widest, width * 2**level) for level in range(int(math.log2(finest)) - 1)]
        self.fold = fold
        self.stem = EqualConv(3 * fold**2, widths[0], 1)
        self.blocks = nn.ModuleList(DiscriminatorBlock(a, b) for a, b in pairwise(widths))
        self.last = EqualConv(widths[-1] + 1, widths[-1], 3)
        self.head = nn.Sequential(EqualLinear(widths[-1] * 16, widths[-1]), nn.LeakyReLU(0.2), EqualLinear(widths[-1], 1))

    def forward(self, picture: Tensor) -> Tensor:
        """See the class."""
        x = activate(self.stem(functional.pixel_unshuffle(picture, self.fold)))
        for block in self.blocks:
            x = block(x)
        x = activate(self.last(torch.cat([x, _spread(x)], 1)))
        logits: Tensor = self.head(x.flatten(1))
        return logits[:, 0]


def _spread(x: Tensor) -> Tensor:
    """(N, C, 4, 4) → (N, 1, 4, 4): the mean standard deviation within each ``GROUP`` (mini-batch standard deviation)."""
    group = math.gcd(GROUP, x.shape[0])
    groups = x.reshape(-1, group, *x.shape[1:])
    deviation = torch.sqrt(groups.var(1, unbiased=False) + 1e-8).mean((1, 2, 3))
    return deviation.repeat_interleave(group)[:, None, None, None].expand(-1, 1, *x.shape[2:])
