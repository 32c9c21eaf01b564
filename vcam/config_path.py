"""Where ``config.toml`` lies: in a checkout, in the user's folder, or as it came with the installed package."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from engine.errors import InputError
from engine.files import make_folder, write_text
from engine.process import user_folder
from vcam.version import DISTRIBUTION, PROJECT

NAME = "config.toml"
INSTALLED = ("share", "hifihead", NAME)  # in pyproject.toml's data-files


def default_path() -> Path | None:
    """The settings file used when none is named: the checkout's, else the user's, else the installed one; None without any."""
    folders = (PROJECT, user_folder("config"))
    return next((path for folder in folders if (path := folder / NAME).is_file()), None) or installed_path()


def installed_path() -> Path | None:
    """The settings file that came with the package, wherever this system puts such files; None in a checkout."""
    try:
        files = metadata.files(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return None
    found = next((Path(str(file.locate())) for file in files if file.parts[-len(INSTALLED) :] == INSTALLED), None)
    return found.resolve() if found and found.is_file() else None


def own_config() -> Path:
    """The settings file that the user may change: of an installed package a copy in the user's folder, made where there is none.

    Raises InputError when it cannot be written.
    """
    path, installed = default_path(), installed_path()
    if path is not None and path != installed:
        return path
    if installed is None:
        raise InputError("There is no settings file to begin with: install HifiHead Cam again.")
    own = user_folder("config") / NAME
    make_folder(own.parent)
    write_text(own, installed.read_text(encoding="utf-8"))
    return own
