"""Sheets of pictures with their names, as files for people to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from engine.errors import InputError
from engine.files import write_bytes
from engine.values import Picture

TILE_PX = 96
GROUND = (58, 62, 68)
_STRIP_PX = 14
_INK = (225, 225, 225)


def sheet(tiles: Sequence[tuple[str, Picture]], columns: int, tile_px: int = TILE_PX) -> list[Picture]:
    """Rows of pictures, each with its name below."""
    blank = ("", np.full((tile_px, tile_px, 3), GROUND, np.uint8))
    filled = [*tiles, *[blank] * (-len(tiles) % columns)]
    labelled = [_labelled(name, picture, tile_px) for name, picture in filled]
    return [np.concatenate(labelled[start : start + columns], 1) for start in range(0, len(labelled), columns)]


def save_sheet(rows: Sequence[Picture], path: Path) -> None:
    """PNG or JPEG by suffix. Raises InputError."""
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise InputError(f"the preview must be a .png or .jpg file, got {path}")
    done, data = cv2.imencode(path.suffix, np.ascontiguousarray(np.concatenate(rows, 0)[..., ::-1]))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, data.tobytes() if done else b"")
    except OSError as error:
        raise InputError(f"the preview {path} could not be written ({error.strerror})") from error


def _labelled(name: str, picture: Picture, tile_px: int) -> Picture:
    tile = cv2.resize(picture, (tile_px, tile_px), interpolation=cv2.INTER_AREA)
    strip = np.full((_STRIP_PX, tile_px, 3), GROUND, np.uint8)
    cv2.putText(strip, name[:18], (2, 10), cv2.FONT_HERSHEY_SIMPLEX, 0.3, _INK, 1, cv2.LINE_AA)
    return np.asarray(np.concatenate([tile, strip], 0), np.uint8)
