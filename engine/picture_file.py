"""Writing pictures to files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError
from engine.files import write_bytes

JPEG_QUALITY = 95


def write_picture(path: Path, picture: NDArray[np.uint8], jpeg_quality: int = JPEG_QUALITY) -> None:
    """RGB (H, W, 3) or grey (H, W), uint8, as PNG or JPEG by the name's ending; whole or not at all. Raises InputError."""
    refuse_ending(path)
    ordered = np.ascontiguousarray(picture[..., ::-1]) if picture.ndim == 3 else picture
    try:
        _, data = cv2.imencode(path.suffix, ordered, [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])
    except cv2.error as error:
        size = f"{picture.shape[1]}x{picture.shape[0]}"
        raise InputError(f"{path} cannot be written: a picture of {size} px has no place in such a file.") from error
    write_bytes(path, data.tobytes())


def refuse_ending(path: Path) -> None:
    """Raises InputError unless the ending is that of a kind of picture that can be written."""
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise InputError(f"A picture file must end in .png or .jpg, got {path}.")
