"""Settings of a training: a frozen dataclass, filled from a TOML file and then from the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import tomlkit
from tomlkit.exceptions import TOMLKitError

from engine.errors import ConfigError

Settings = TypeVar("Settings")


def read_settings(kind: type[Settings], path: Path | None, changes: Mapping[str, Any]) -> Settings:
    """``kind`` with the values of a TOML file (or its defaults), changed by what is given. ``weights`` are merged term by term.

    ``kind`` must have a default for every field. Raises ConfigError for what is unknown, of another type, or refused by ``kind``.
    """
    settings = {**({} if path is None else _read(path)), **{name: value for name, value in changes.items() if value is not None}}
    default = kind()
    known = {field.name: getattr(default, field.name) for field in fields(kind)}  # type: ignore[arg-type]
    for name, value in settings.items():
        if name not in known:
            raise ConfigError(f"The setting {name!r} is unknown; there are {', '.join(known)}.")
        _require_like(name, value, known[name])
    merged = {name: {**known[name], **value} if isinstance(known[name], Mapping) else value for name, value in settings.items()}
    return kind(**merged)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8")).unwrap()
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise ConfigError(f"The settings {path} cannot be read: {error}") from error


def _require_like(name: str, value: object, default: object) -> None:
    if isinstance(default, Mapping):
        if not isinstance(value, Mapping) or not all(_is_number(v) for v in value.values()):
            raise ConfigError(f"{name} must be a table of numbers, got {value!r}.")
    elif isinstance(default, (bool, str)):
        if not isinstance(value, type(default)):
            raise ConfigError(f"{name} must be {type(default).__name__}, got {value!r}.")
    elif not _is_number(value) or (isinstance(default, int) and not isinstance(value, int)):
        raise ConfigError(f"{name} must be {'a whole number' if isinstance(default, int) else 'a number'}, got {value!r}.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
