"""Sheets of pictures with their names, as files for people to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from engine.errors import InputError
from engine.files import reason
from engine.picture_file import write_picture
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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {reason(error)}.") from error
    write_picture(path, np.concatenate(rows, 0))


def _labelled(name: str, picture: Picture, tile_px: int) -> Picture:
    tile = cv2.resize(picture, (tile_px, tile_px), interpolation=cv2.INTER_AREA)
    strip = np.full((_STRIP_PX, tile_px, 3), GROUND, np.uint8)
    cv2.putText(strip, name[:18], (2, 10), cv2.FONT_HERSHEY_SIMPLEX, 0.3, _INK, 1, cv2.LINE_AA)
    return np.asarray(np.concatenate([tile, strip], 0), np.uint8)
