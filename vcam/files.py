"""Files that settings name, and pictures written to files."""

from __future__ import annotations

from pathlib import Path

from engine.errors import InputError
from engine.files import refuse_unwritable, user_path
from engine.picture_file import write_picture
from engine.values import Picture


def named_path(name: str, config_path: Path | None) -> Path:
    """The path that a setting names: a relative one starts at the config file's folder. Raises InputError; see ``user_path``."""
    base = config_path.parent if config_path else Path()
    return base / user_path(name)


def model_folder(name: str, config_path: Path | None) -> Path | None:
    """The folder of a model that a setting names; "" is the one that ships: None."""
    return named_path(name, config_path) if name else None


def write_png(path: Path, picture: Picture) -> None:
    """An RGB picture as PNG; raises InputError unless the name ends in .png and its folder exists."""
    refuse_png(path)
    write_picture(path, picture)


def refuse_png(path: Path) -> None:
    """Raises InputError unless a PNG can be written there; called before the work begins."""
    if path.suffix.lower() != ".png":
        raise InputError(f"{path} must end in .png, got {path.suffix or 'no ending'}.")
    refuse_unwritable(path)
