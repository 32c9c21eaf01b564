"""Checkpoints: one file, written whole or not at all, that knows which configuration it belongs to."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.errors import ConfigError, InputError
from engine.files import replacing

FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """configuration: plain settings that must agree to go on; images: seen so far; state: names → state dictionaries."""

    configuration: Mapping[str, Any]
    images: int
    state: Mapping[str, Any]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Writes beside ``path``, then renames: a full disk or a crash leaves the former checkpoint whole. Raises InputError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "format": FORMAT,
        "configuration": dict(checkpoint.configuration),
        "images": checkpoint.images,
        "state": dict(checkpoint.state),
    }
    try:
        with replacing(path) as unfinished, unfinished.open("wb") as file:
            torch.save(content, file)
    except (InputError, OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        raise InputError(
            f"The checkpoint {path} could not be written ({error}); the former one is kept. Free the disk."
        ) from error


def load_checkpoint(path: Path) -> Checkpoint:
    """Reads a checkpoint; nothing in it is run. Raises InputError."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if content["format"] != FORMAT:
            raise InputError(f"{path} has format {content['format']}, this program reads {FORMAT}: train anew.")
        return Checkpoint(content["configuration"], content["images"], content["state"])
    except (OSError, RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path} is not a checkpoint of this program: {reason}") from error


def require_same(saved: Mapping[str, Any], wanted: Mapping[str, Any], path: Path) -> None:
    """Raises ConfigError that names every setting in which a checkpoint differs from the configuration."""
    different = [
        f"{name} = {saved.get(name)!r} there, {wanted.get(name)!r} here"
        for name in sorted({*saved, *wanted})
        if saved.get(name) != wanted.get(name)
    ]
    if different:
        raise ConfigError(
            f"{path} was trained with another configuration: {'; '.join(different)}. Use that one, or another folder."
        )
