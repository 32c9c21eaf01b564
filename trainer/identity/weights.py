"""Reading a file of named weights without executing anything in it."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from engine.errors import InputError

_NESTED = ("state_dict", "model", "backbone", "net")  # where training programs put a network's weights beside other things


def read_state(path: Path) -> dict[str, Tensor]:
    """name → tensor of a .safetensors or torch file, also where the weights lie one level deeper. Raises InputError."""
    try:
        content: Any = (
            load_file(path) if path.suffix == ".safetensors" else torch.load(path, map_location="cpu", weights_only=True)
        )
    except (OSError, RuntimeError, EOFError, KeyError, ValueError, SafetensorError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path} must be a file of weights (.safetensors or torch's); it cannot be read: {reason}") from error
    while isinstance(content, Mapping) and (deeper := [name for name in _NESTED if isinstance(content.get(name), Mapping)]):
        content = content[deeper[0]]
    if not isinstance(content, Mapping) or not content or not all(isinstance(value, Tensor) for value in content.values()):
        raise InputError(f"{path} must hold named weights and nothing else; save the network's state_dict() alone.")
    return dict(content)
