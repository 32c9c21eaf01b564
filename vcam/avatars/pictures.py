"""The pictures of an avatar: one file, or a folder whose first picture, by name, is the face at rest."""

from __future__ import annotations

from pathlib import Path

from engine.errors import InputError
from engine.files import reason
from engine.picture import refuse_unreadable

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".avif", ".bmp", ".tif", ".tiff", ".heic", ".heif")


def pictures_of(photo: Path) -> list[Path]:
    """The pictures, the face at rest first. Raises InputError for a folder without any, or that cannot be read."""
    if not photo.is_dir():
        return [photo]
    try:
        found = sorted(path for path in photo.iterdir() if path.suffix.lower() in ENDINGS and not path.name.startswith("."))
    except OSError as error:
        raise InputError(f"The folder {photo} cannot be read: {reason(error)}.") from error
    if not found:
        raise InputError(f"The folder {photo} has no pictures; wanted: JPEG, PNG, WebP, AVIF, BMP or TIFF files.")
    return found


def refuse_unusable(photo: Path) -> None:
    """Raises InputError for everything that can be told of the face at rest without decoding it."""
    refuse_unreadable(pictures_of(photo)[0])
