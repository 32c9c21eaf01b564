"""StyleGAN2's weights into the FAR generator.

A FAR block is a StyleGAN2 block whose features have the source's and the guide's beside them (eq. 10). So its second convolution
takes StyleGAN2's as it is, and its first one, which sees three times the channels, takes it for the channels of F_inter, with
zeros for the new ones: at the start F_inter is StyleGAN2's, and what is new is learned from nothing.

What differs: a doubling convolution is transposed there, so that its kernel is turned by 180° here; the mapping has fewer layers
here, and takes the last ones; tRGB is not modulated here, and takes StyleGAN2's at its mean style, unless a picture prior has it
start at zero. Noise has no place here: F_s and F_3D stand for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from engine.generator.far import FarBlock, FarGenerator
from engine.generator.layers import EqualLinear, StyleConv
from trainer.stylegan2.layouts import StyleGan2, StyleLayer, read_stylegan2

How = Literal["copied", "in part", "not"]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class TensorTransfer:
    """One tensor of ours: where it came from ("" = nowhere), both shapes, and why it was not copied."""

    ours: str
    theirs: str
    ours_shape: Shape
    theirs_shape: Shape
    how: How
    reason: str = ""

    def line(self) -> str:
        """Readable, one line."""
        shapes = " × ".join(map(str, self.ours_shape)) or "1", " × ".join(map(str, self.theirs_shape)) or "1"
        source = f"{self.theirs or 'nothing'}, {shapes[1]}" if self.theirs else "nothing"
        return f"{self.how:8}{self.ours} ({shapes[0]}) from {source}" + (f": {self.reason}" if self.reason else "")


@dataclass(frozen=True)
class TransferReport:
    """What was copied and what was not, a line for each of the generator's tensors that StyleGAN2 could fill."""

    entries: tuple[TensorTransfer, ...]

    def count(self, how: How) -> int:
        """So many tensors were treated so."""
        return sum(entry.how == how for entry in self.entries)

    def lines(self) -> list[str]:
        """A summary and what was not copied whole, for the terminal; ``entries`` has everything."""
        parts = f"{self.count('copied')} tensors copied, {self.count('in part')} in part, {self.count('not')} not"
        return [f"StyleGAN2: {parts}"] + [entry.line() for entry in self.entries if entry.how != "copied"]


def initialise(generator: FarGenerator, path: Path) -> TransferReport:
    """Fills what it can of ``generator``, in place, from a StyleGAN2 file (.pkl, .pt). Raises InputError."""
    return copy_weights(generator, read_stylegan2(path))


@torch.no_grad()
def copy_weights(generator: FarGenerator, theirs: StyleGan2) -> TransferReport:
    """The same from weights that are read already."""
    entries = [_place("constant", generator.constant, "the constant", theirs.constant)]
    entries += _mapping(generator, theirs)
    seen: set[int] = set()
    for number, block in enumerate(generator.blocks):
        assert isinstance(block, FarBlock)  # noqa: S101 - for the type checker
        resolution, _ = generator.variant.blocks[number]
        if resolution not in seen:  # a second block of one resolution has no counterpart
            entries += _block(f"blocks.{number}", block, resolution, theirs)
            entries += _rgb(generator, number, theirs)
        seen.add(resolution)
    return TransferReport(tuple(entries))


def _mapping(generator: FarGenerator, theirs: StyleGan2) -> list[TensorTransfer]:
    """The last layers, counted from the end."""
    entries = []
    ours = list(generator.mapping.layers)
    for back in range(1, min(len(ours), len(theirs.mapping)) + 1):
        layer, number = ours[-back], len(theirs.mapping) - back
        assert isinstance(layer, EqualLinear)  # noqa: S101 - for the type checker
        name, their_name = f"mapping.layers.{len(ours) - back}", f"mapping layer {number}"
        weight, bias = theirs.mapping[number]
        entries.append(_place(f"{name}.weight", layer.weight, f"{their_name}, weight", weight))
        if entries[-1].how == "copied":  # a bias belongs to its weights
            entries.append(_place(f"{name}.bias", layer.bias, f"{their_name}, bias", bias))
    return entries


def _block(name: str, block: FarBlock, resolution: int, theirs: StyleGan2) -> list[TensorTransfer]:
    entries = []
    for k, conv in enumerate(block.convs):
        assert isinstance(conv, StyleConv)  # noqa: S101 - for the type checker
        there = theirs.convs.get((resolution, k if block.growth > 1 else k + 1))
        if there is not None:
            entries += _conv(f"{name}.convs.{k}", conv, there, turned=block.growth > 1 and k == 0)
    return entries


def _conv(name: str, ours: StyleConv, theirs: StyleLayer, *, turned: bool) -> list[TensorTransfer]:
    weight = theirs.weight.flip(2, 3) if turned else theirs.weight
    if ours.weight.shape[0] != weight.shape[0] or ours.affine.weight.shape[1] != theirs.affine_weight.shape[1]:
        reason = "another width, or another width of w"
        return [_left(f"{name}.weight", ours.weight, f"{theirs.name}.weight", theirs.weight, reason)]
    first = _place(f"{name}.weight", ours.weight, f"{theirs.name}.weight", weight, widened=1)
    if first.how == "not":
        return [first]
    return [
        first,
        _place(f"{name}.bias", ours.bias, f"{theirs.name}, bias", theirs.bias),
        _place(
            f"{name}.affine.weight",
            ours.affine.weight,
            f"{theirs.name}, affine weight",
            theirs.affine_weight,
            widened=0,
            zero=False,
        ),
        _place(f"{name}.affine.bias", ours.affine.bias, f"{theirs.name}, affine bias", theirs.affine_bias, widened=0, zero=False),
    ]


def _rgb(generator: FarGenerator, number: int, theirs: StyleGan2) -> list[TensorTransfer]:
    """tRGB at the mean style, s = A·w̄ / √W + b."""
    block, resolution = generator.blocks[number], generator.variant.blocks[number][0]
    assert isinstance(block, FarBlock)  # noqa: S101 - for the type checker
    ours, there, name = block.heads.to_rgb, theirs.rgbs.get(resolution), f"blocks.{number}.heads.to_rgb"
    if there is None:
        return []
    if generator.variant.picture_prior:
        reason = "starts at zero, because it corrects the picture prior"
        return [_left(f"{name}.weight", ours.weight, f"{there.name}.weight", there.weight, reason)]
    style = there.affine_bias
    if theirs.average is not None:
        style = style + there.affine_weight @ theirs.average / math.sqrt(len(theirs.average))
    # equalised: what is stored is multiplied by 1/√fan-in, and the fan-in has grown
    weight = there.weight * style[:, None, None] * math.sqrt(ours.weight.shape[1] / there.weight.shape[1])
    placed = _place(f"{name}.weight", ours.weight, f"{there.name}.weight", weight, widened=1)
    return [placed, *([_place(f"{name}.bias", ours.bias, f"{there.name}, bias", there.bias)] if placed.how != "not" else [])]


def _place(
    name: str, ours: nn.Parameter, their_name: str, theirs: Tensor, *, widened: int = -1, zero: bool = True
) -> TensorTransfer:
    """Copies where the shapes agree; where ours is only wider in the dimension ``widened``, into its first part.

    ``zero``: whether the rest of it becomes 0, or stays as it is.
    """
    shapes = (tuple(ours.shape), tuple(theirs.shape))
    if shapes[0] == shapes[1]:
        ours.copy_(theirs)
        return TensorTransfer(name, their_name, *shapes, "copied")
    rest = [[size for at, size in enumerate(shape) if at != widened] for shape in shapes]
    if widened < 0 or rest[0] != rest[1] or shapes[0][widened] < shapes[1][widened]:
        return _left(name, ours, their_name, theirs, "another shape")
    if zero:
        ours.zero_()
    ours.narrow(widened, 0, shapes[1][widened]).copy_(theirs)
    return TensorTransfer(name, their_name, *shapes, "in part")


def _left(name: str, ours: Tensor, their_name: str, theirs: Tensor, reason: str) -> TensorTransfer:
    return TensorTransfer(name, their_name, tuple(ours.shape), tuple(theirs.shape), "not", reason)
