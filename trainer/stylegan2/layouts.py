"""StyleGAN2's generator as two programs store it, brought into one form.

NVlabs (stylegan2-ada-pytorch, .pkl)   synthesis.b8.conv0.weight, .affine.weight …; mapping.fc0 …; modulation and convolutions
                                       equalised, mapping × 0.01, as here
rosinality (stylegan2-pytorch, .pt)    convs.0.conv.weight, .conv.modulation.weight, .activate.bias …; style.1 …; the same numbers
"""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.errors import InputError
from trainer.stylegan2.pickles import named_tensors, read_pickle

FIRST = 4  # the resolution of the constant


@dataclass(frozen=True)
class StyleLayer:
    """weight (O, I, k, k), bias (O,), and of its affine layer weight (I, W) and bias (I,); ``name`` in the file."""

    name: str
    weight: Tensor
    bias: Tensor
    affine_weight: Tensor
    affine_bias: Tensor


@dataclass(frozen=True)
class StyleGan2:
    """A StyleGAN2 generator.

    constant  (1, C, 4, 4)
    mapping   (weight (W, W), bias (W,)) of each layer, first to last
    convs     (resolution, 0 or 1) → layer; 0 is the one that doubles the resolution, 1 the one after it
    rgbs      resolution → tRGB
    average   (W,) the mean w, or None where the file has none
    """

    constant: Tensor
    mapping: tuple[tuple[Tensor, Tensor], ...]
    convs: dict[tuple[int, int], StyleLayer]
    rgbs: dict[int, StyleLayer]
    average: Tensor | None


def read_stylegan2(path: Path) -> StyleGan2:
    """Either layout. Raises InputError when the file is neither, or not whole. Nothing of the file is executed."""
    try:
        return _nvlabs(path) if path.suffix == ".pkl" else _rosinality(path)
    except KeyError as error:
        raise InputError(f"{path} is no whole StyleGAN2 generator: it lacks {error}.") from error


def _nvlabs(path: Path) -> StyleGan2:
    content = read_pickle(path)
    network = content.get("G_ema") if isinstance(content, Mapping) else None
    if network is None:
        raise InputError(
            f"{path} has no G_ema: give a .pkl of stylegan2-ada-pytorch (TensorFlow's must be converted by it first)."
        )
    named = _floats(dict(named_tensors(network)))

    def layer(name: str) -> StyleLayer:
        parts = ("weight", "bias", "affine.weight", "affine.bias")
        return StyleLayer(name, *(named[f"{name}.{part}"] for part in parts))

    sizes = sorted({int(name.split(".")[1][1:]) for name in named if name.startswith("synthesis.b")})
    convs = {(size, k): layer(f"synthesis.b{size}.conv{k}") for size in sizes for k in (0, 1) if size > FIRST or k}
    rgbs = {size: layer(f"synthesis.b{size}.torgb") for size in sizes if f"synthesis.b{size}.torgb.weight" in named}
    mapping = _mapping(named, "mapping.fc", 0)
    return StyleGan2(named[f"synthesis.b{FIRST}.const"][None], mapping, convs, rgbs, named.get("mapping.w_avg"))


def _rosinality(path: Path) -> StyleGan2:
    content = _load(path)
    state = content.get("g_ema") if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping):
        raise InputError(f"{path} has no g_ema: give a .pt of stylegan2-pytorch, or a .pkl of stylegan2-ada-pytorch.")
    named = _floats(state)

    def layer(name: str, bias: str) -> StyleLayer:
        affine = (named[f"{name}.conv.modulation.weight"], named[f"{name}.conv.modulation.bias"])
        return StyleLayer(name, named[f"{name}.conv.weight"][0], named[f"{name}.{bias}"].flatten(), *affine)

    convs, rgbs = {(FIRST, 1): layer("conv1", "activate.bias")}, {FIRST: layer("to_rgb1", "bias")}
    number = 0
    while f"convs.{2 * number}.conv.weight" in named:
        size = FIRST * 2 ** (number + 1)
        convs |= {(size, k): layer(f"convs.{2 * number + k}", "activate.bias") for k in (0, 1)}
        rgbs[size] = layer(f"to_rgbs.{number}", "bias")
        number += 1
    average = content.get("latent_avg")
    average = average.float().flatten() if isinstance(average, Tensor) else None
    return StyleGan2(named["input.input"], _mapping(named, "style.", 1), convs, rgbs, average)


def _mapping(named: Mapping[str, Tensor], prefix: str, first: int) -> tuple[tuple[Tensor, Tensor], ...]:
    layers: list[tuple[Tensor, Tensor]] = []
    while (weight := named.get(f"{prefix}{first + len(layers)}.weight")) is not None:
        layers.append((weight, named[f"{prefix}{first + len(layers)}.bias"]))
    return tuple(layers)


def _floats(named: Mapping[str, Any]) -> dict[str, Tensor]:
    return {name: value.float() for name, value in named.items() if isinstance(value, Tensor)}


def _load(path: Path) -> Any:
    try:
        # a checkpoint of its training also holds the command line: a plain container
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path} must be a torch file with StyleGAN2's weights; it cannot be read: {reason}") from error
