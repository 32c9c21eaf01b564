"""dlib's face recognition ResNet (29 convolutions, 128 numbers) in torch, from the file that dlib ships (CC0).

The residual blocks are dlib's: two 3 × 3 convolutions beside a short cut; where the block halves the resolution its first
convolution has stride 2 and no padding, and the short cut is a 2 × 2 mean. Short cut and block are added where they overlap: the
smaller one counts as zero beyond its edge and beyond its channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.errors import InputError
from trainer.identity.dlib_file import DlibLayer, read_dlib_network

SCALE = 256.0  # what dlib divides the pictures by

_CONVOLVED = ("con", "affine", "relu")
_BLOCK = (*_CONVOLVED, "con", "affine")
_STEM = (*_CONVOLVED, "max_pool")
_TAIL = ("avg_pool", "fc")


class DlibResidual(nn.Module):
    """One block; (N, I, H, W) → (N, max(I, O), H / stride, W / stride)."""

    def __init__(self, first: nn.Conv2d, second: nn.Conv2d) -> None:
        super().__init__()
        self.first, self.second = first, second
        self.halves = first.stride == (2, 2)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        y = self.second(torch.relu(self.first(x)))
        short_cut = functional.avg_pool2d(x, 2) if self.halves else x
        return torch.relu(padded_sum(short_cut, y))


class DlibFaceNet(nn.Module):
    """(N, 3, 150, 150) RGB −1…1, aligned chips → (N, 128)."""

    mean: Tensor

    def __init__(self, path: Path) -> None:
        """Raises InputError when the file is not of this network."""
        super().__init__()
        file = read_dlib_network(path)
        stem, blocks, projection = _split(list(file.layers), path)
        self.side = file.side
        self.stem, self.pool = _convolution(stem, 3), _pool(stem[-1])
        width, found = self.stem.out_channels, []
        for block in blocks:
            first = _convolution(block[:2], width)
            found.append(DlibResidual(first, _convolution(block[3:5], first.out_channels)))
            width = max(width, first.out_channels)
        self.blocks = nn.Sequential(*found)
        outputs, inputs = projection.numbers
        self.projection = nn.Linear(inputs, outputs, bias=False)
        with torch.no_grad():
            self.projection.weight.copy_(torch.from_numpy(projection.weights.reshape(inputs, outputs).T.copy()))
        self.register_buffer("mean", torch.from_numpy(file.mean).reshape(3, 1, 1), persistent=False)

    def forward(self, chips: Tensor) -> Tensor:
        """See the class; the result has a length near 1, not exactly."""
        x = ((chips + 1) * 127.5 - self.mean) / SCALE
        x = self.blocks(self.pool(torch.relu(self.stem(x))))
        out: Tensor = self.projection(x.mean((2, 3)))
        return out


def padded_sum(a: Tensor, b: Tensor) -> Tensor:
    """(N, C, H, W) + (N, D, I, J) → (N, max(C, D), max(H, I), max(W, J)); what one of them lacks is zero."""
    sizes = [max(p, q) for p, q in zip(a.shape[1:], b.shape[1:], strict=True)]
    return sum((_padded(x, sizes) for x in (a, b)), start=a.new_zeros(()))


def _padded(x: Tensor, sizes: Sequence[int]) -> Tensor:
    missing = [wanted - size for wanted, size in zip(sizes, x.shape[1:], strict=True)]
    return functional.pad(x, [n for lack in reversed(missing) for n in (0, lack)]) if any(missing) else x


def _split(layers: list[DlibLayer], path: Path) -> tuple[list[DlibLayer], list[list[DlibLayer]], DlibLayer]:
    """Stem, blocks, last layer; raises InputError when the layers stand in another order."""
    kinds = [layer.kind for layer in layers]
    at, blocks = len(_STEM), []
    good = tuple(kinds[:at]) == _STEM
    while good and tuple(kinds[at:]) != _TAIL:
        length = len(_BLOCK) + kinds[at : at + 6].count("avg_pool") + 2
        good = tuple(kind for kind in kinds[at : at + length] if kind != "avg_pool") == (*_BLOCK, "add_prev", "relu")
        blocks.append(layers[at : at + length])
        at += length
    if not good:
        raise InputError(f"{path} holds another network of dlib than its face recognition ResNet: {', '.join(kinds[:12])}, …")
    return layers[: len(_STEM)], blocks, layers[-1]


def _convolution(layers: Sequence[DlibLayer], inputs: int) -> nn.Conv2d:
    """The convolution, with the affine layer after it folded in."""
    filters, height, width, *geometry = layers[0].numbers
    stride, padding = (geometry[0], geometry[1]), (geometry[2], geometry[3])
    out = nn.Conv2d(inputs, filters, (height, width), stride, padding)
    weights = layers[0].weights.astype(np.float64)
    if len(weights) != filters * (inputs * height * width + 1) or len(layers[1].weights) != 2 * filters:
        raise InputError(f"A convolution of the dlib network has {len(weights)} weights, which do not fit its {filters} filters.")
    gains, shifts = layers[1].weights.astype(np.float64).reshape(2, filters)
    kernels = weights[:-filters].reshape(filters, inputs, height, width) * gains[:, None, None, None]
    bias = weights[-filters:] * gains + shifts
    with torch.no_grad():
        out.weight.copy_(torch.from_numpy(kernels))
        assert out.bias is not None  # noqa: S101 - for the type checker
        out.bias.copy_(torch.from_numpy(bias))
    return out


def _pool(layer: DlibLayer) -> nn.MaxPool2d:
    height, width, *geometry = layer.numbers
    return nn.MaxPool2d((height, width), (geometry[0], geometry[1]), (geometry[2], geometry[3]))
