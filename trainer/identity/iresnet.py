"""IResNet (He et al. 2016 as changed by ArcFace, Deng et al. 2019): the networks of ArcFace and CurricularFace.

Depth and widths follow from the file. Two layouts of names are read: insightface's ``iresnet`` (layer1.0.conv1 …) and the ``IR``
family of CurricularFace and TFace (body.0.res_layer.1 …), whose older form has no normalisation between the two convolutions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from torch import Tensor, nn

from engine.errors import InputError

SIDE = 112
SHRINK = 16  # four stages, each of which halves

_OURS = ("bn1", "conv1", "bn2", "prelu", "conv2", "bn3")
_OLDER = ("bn1", "conv1", "prelu", "conv2", "bn3")  # of IR without the middle normalisation
_HEADS = {
    "conv1": "stem.0", "bn1": "stem.1", "prelu": "stem.2", "bn2": "norm", "fc": "fc", "features": "features",
    "input_layer.0": "stem.0", "input_layer.1": "stem.1", "input_layer.2": "stem.2",
    "output_layer.0": "norm", "output_layer.3": "fc", "output_layer.4": "features",
}  # fmt: skip


class IResNetBlock(nn.Module):
    """bn → 3×3 → (bn) → PReLU → 3×3 with the stride → bn, beside a short cut."""

    def __init__(self, inputs: int, outputs: int, stride: int, *, middle: bool, projected: bool) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs) if middle else nn.Identity()
        self.prelu = nn.PReLU(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        projection = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        self.short_cut = projection if projected else nn.MaxPool2d(1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(N, I, H, W) → (N, O, H / stride, W / stride)."""
        y = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        out: Tensor = self.bn3(self.conv2(y)) + self.short_cut(x)
        return out


class IResNet(nn.Module):
    """(N, 3, 112, 112) RGB −1…1, aligned chips → (N, D), D = 512 in the published ones."""

    side = SIDE

    def __init__(self, state: Mapping[str, Tensor], path: Path) -> None:
        """``state``: the file's names and weights; ``path`` for messages. Raises InputError when it is another network."""
        super().__init__()
        named = {name: value.float() for name, value in _renamed(state, path)}
        widths = _widths(named, path)
        self.stem = nn.Sequential(nn.Conv2d(3, widths[0][0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0][0]))
        self.stem.append(nn.PReLU(widths[0][0]))
        self.blocks = nn.Sequential()
        for number, (inputs, outputs) in enumerate(widths):
            middle = f"blocks.{number}.bn2.weight" in named
            projected = f"blocks.{number}.short_cut.0.weight" in named
            halves = number == 0 or projected or inputs != outputs  # a stage begins
            self.blocks.append(IResNetBlock(inputs, outputs, 2 if halves else 1, middle=middle, projected=projected))
        width, features = widths[-1][1], len(named["fc.weight"])
        self.norm = nn.BatchNorm2d(width)
        self.fc = nn.Linear(width * (SIDE // SHRINK) ** 2, features)
        self.features = nn.BatchNorm1d(features, affine="features.weight" in named)
        self._load(named, path)

    def forward(self, chips: Tensor) -> Tensor:
        """See the class."""
        out: Tensor = self.features(self.fc(self.norm(self.blocks(self.stem(chips))).flatten(1)))
        return out

    def _load(self, named: Mapping[str, Tensor], path: Path) -> None:
        ours = self.state_dict()
        wanted = {name for name in ours if not name.endswith("num_batches_tracked")}
        wrong = sorted(wanted ^ set(named)) + [n for n in sorted(wanted & set(named)) if ours[n].shape != named[n].shape]
        if wrong:
            listed = ", ".join(wrong[:4]) + (", …" if len(wrong) > 4 else "")
            raise InputError(f"{path} is no IResNet for 112-pixel chips: missing, unknown or of another shape are {listed}.")
        self.load_state_dict(dict(named), strict=False)


def is_iresnet(state: Mapping[str, Tensor]) -> bool:
    """Whether the names are of one of the two layouts."""
    return any(name.endswith(("layer1.0.conv1.weight", "body.0.res_layer.1.weight")) for name in state)


def _renamed(state: Mapping[str, Tensor], path: Path) -> Iterator[tuple[str, Tensor]]:
    """Every weight under the name that it has here."""
    names = [re.sub(r"^(module\.|backbone\.|model\.|net\.)+", "", name) for name in state]
    numbers = _block_numbers(names)
    older = not any(name.startswith("body.0.res_layer.5.") for name in names)
    for name, value in zip(names, state.values(), strict=True):
        if not name.endswith("num_batches_tracked"):
            yield _rename(name, numbers, _OLDER if older else _OURS, path), value


def _rename(name: str, numbers: Mapping[tuple[int, int], int], order: tuple[str, ...], path: Path) -> str:
    head, _, leaf = name.rpartition(".")
    if head in _HEADS:
        return f"{_HEADS[head]}.{leaf}"
    if found := re.fullmatch(r"layer(\d+)\.(\d+)\.(.+)", head):
        part = found[3].replace("downsample", "short_cut")
        return f"blocks.{numbers[int(found[1]), int(found[2])]}.{part}.{leaf}"
    if found := re.fullmatch(r"body\.(\d+)\.shortcut_layer\.(\d)", head):
        return f"blocks.{found[1]}.short_cut.{found[2]}.{leaf}"
    if (found := re.fullmatch(r"body\.(\d+)\.res_layer\.(\d)", head)) and int(found[2]) < len(order):
        return f"blocks.{found[1]}.{order[int(found[2])]}.{leaf}"
    raise InputError(
        f"{path} has the weight {name!r}, which no IResNet of ArcFace or CurricularFace has (SE variants are not read)."
    )


def _block_numbers(names: list[str]) -> dict[tuple[int, int], int]:
    """(stage, block) of insightface's names → number from the first on."""
    found = {(int(m[1]), int(m[2])) for name in names if (m := re.match(r"layer(\d+)\.(\d+)\.", name))}
    return {block: number for number, block in enumerate(sorted(found))}


def _widths(named: Mapping[str, Tensor], path: Path) -> list[tuple[int, int]]:
    """(inputs, outputs) of every block."""
    widths: list[tuple[int, int]] = []
    while (weight := named.get(f"blocks.{len(widths)}.conv1.weight")) is not None:
        widths.append((weight.shape[1], weight.shape[0]))
    if not widths or "fc.weight" not in named:
        raise InputError(
            f"{path} holds no whole IResNet: it has {len(widths)} blocks and {'a' if 'fc.weight' in named else 'no'} last layer."
        )
    return widths
