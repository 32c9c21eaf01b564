"""ResNet-50 (He et al. 2016, the form with the stride in the 3×3 convolution) as a feature extractor: the paper's F_Res50.

ImageNet weights in torchvision's layout are read by the names they have there; batch normalisations are folded into the
convolutions, as in ``trainer.regressor.lite0``.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from trainer.regressor.backbone import Tap, Weights, fold, read_weights, take

DEPTHS, WIDTHS = (3, 4, 6, 3), (64, 128, 256, 512)
EXPANSION = 4
EPSILON = 1e-5


class Bottleneck(nn.Module):
    """1×1 → 3×3 (with the stride) → 1×1, and a short cut."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = width * EXPANSION
        self.conv1 = nn.Conv2d(inputs, width, 1)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1)
        self.conv3 = nn.Conv2d(width, outputs, 1)
        self.downsample = nn.Conv2d(inputs, outputs, 1, stride) if stride > 1 or inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, 4 · width, H / stride, W / stride)."""
        y = torch.relu(self.conv1(x))
        y = self.conv3(torch.relu(self.conv2(y)))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet50(nn.Module):
    """(N, 3, H, W) RGB −1…1 → [(N, 2048, H / 32, W / 32)]."""

    taps = (Tap(WIDTHS[-1] * EXPANSION, 32),)

    def __init__(self, weights: Path | None = None) -> None:
        """``weights``: a torchvision resnet50 .pth; without it, random ones. Raises InputError when the file does not fit."""
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTHS[0], 7, 2, 3)
        self.pool = nn.MaxPool2d(3, 2, 1)
        stages, inputs = [], WIDTHS[0]
        for depth, width in zip(DEPTHS, WIDTHS, strict=True):
            blocks: list[nn.Module] = []
            for i in range(depth):
                blocks.append(Bottleneck(inputs, width, 2 if i == 0 and width > WIDTHS[0] else 1))
                inputs = width * EXPANSION
            stages.append(nn.Sequential(*blocks))
        self.layers = nn.ModuleList(stages)
        # torchvision's weights expect pictures normalised by ImageNet's mean and deviation; ours lie in −1…1
        self.register_buffer("shift", torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1), persistent=False)
        if weights is None:
            _start(self)
        else:
            self._load(read_weights(weights))

    shift: Tensor
    spread: Tensor

    def forward(self, x: Tensor) -> list[Tensor]:
        """See the class."""
        x = self.pool(torch.relu(self.conv1(((x + 1) / 2 - self.shift) / self.spread)))
        for layer in self.layers:
            x = layer(x)
        return [x]

    def freeze(self, blocks: int) -> None:
        """Keeps the first convolution and so many of the four stages as they are."""
        for part in (self.conv1, *self.layers[:blocks]) if blocks else ():
            part.requires_grad_(False)

    def _load(self, state: Weights) -> None:
        _assign(self.conv1, state, "conv1", "bn1")
        for s, layer in enumerate(self.layers, 1):
            assert isinstance(layer, nn.Sequential)  # noqa: S101 - for the type checker
            for b, block in enumerate(layer):
                for i in (1, 2, 3):
                    _assign(block.get_submodule(f"conv{i}"), state, f"layer{s}.{b}.conv{i}", f"layer{s}.{b}.bn{i}")
                if block.downsample is not None:
                    name = f"layer{s}.{b}.downsample"
                    _assign(block.get_submodule("downsample"), state, f"{name}.0", f"{name}.1")


def _assign(layer: nn.Module, state: Weights, convolution: str, normalisation: str) -> None:
    assert isinstance(layer, nn.Conv2d)  # noqa: S101 - for the type checker
    assert layer.bias is not None  # noqa: S101 - every convolution here has one
    weight, bias = fold(take(state, f"{convolution}.weight"), state, normalisation, EPSILON)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)


def _start(net: ResNet50) -> None:
    """Without normalisation, the last convolution of each block starts at zero, so that signals neither grow nor fade."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        if isinstance(module, Bottleneck):
            nn.init.zeros_(module.conv3.weight)
