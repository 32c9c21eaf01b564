"""What backbones share: where they hand features on, and reading and folding ImageNet weights."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.errors import InputError


@dataclass(frozen=True)
class Tap:
    """Features of so many channels, one for every ``stride`` pixels of the picture."""

    channels: int
    stride: int


Weights = Mapping[str, Tensor]


def read_weights(path: Path) -> Weights:
    """name → tensor of a torch file that holds nothing but tensors; raises InputError."""
    try:
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path} must be a torch file with ImageNet weights; it cannot be read: {reason}") from error
    if not isinstance(state, Mapping):
        raise InputError(f"{path} must hold a dictionary of tensors, got {type(state).__name__}.")
    return state


def take(state: Weights, name: str) -> Tensor:
    """One tensor; raises InputError when the file is of another network."""
    if name not in state:
        raise InputError(
            f"The weights lack '{name}': they belong to another network. Give the file that docs/regressor.md names."
        )
    return state[name].float()


def fold(weight: Tensor, state: Weights, normalisation: str, epsilon: float) -> tuple[Tensor, Tensor]:
    """Weight and bias of the convolution that equals ``weight`` followed by this batch normalisation in evaluation."""
    gain, bias, mean, variance = (take(state, f"{normalisation}.{n}") for n in ("weight", "bias", "running_mean", "running_var"))
    scale = gain / torch.sqrt(variance + epsilon)
    return weight * scale.reshape(-1, 1, 1, 1), bias - mean * scale
