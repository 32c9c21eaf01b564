"""The plate behind a person: the background, its texture continued where they stood. Made once for a photograph, kept on disk."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

import cv2
import numpy as np

from engine.errors import InputError
from engine.files import write_bytes
from engine.fill import fill, texture
from engine.matte import surely_background
from engine.process import user_folder
from engine.values import Floats, Mask, Picture

METHOD = b"hifihead plate 1\n"  # a plate of another method is made anew
BAND_PX = 40  # from the outline inward, of 512: what motion uncovers is filled in full detail, what lies deeper at half size
SEAM_PX = 8  # over which one becomes the other
KEPT = 32  # plates on disk, 0.5 MB each


def textured_plate(crop: Picture, matte: Floats) -> Picture:
    """(512, 512, 3): the crop where it surely is background, its texture elsewhere. Takes seconds.

    What the library cannot do, on a system for which it was not built, stays smooth.
    """
    hidden = ~surely_background(matte)
    if hidden.all() or not hidden.any():
        return np.rint(fill(crop, ~hidden)).astype(np.uint8) if hidden.any() else crop
    deep = _deep(crop, hidden)
    inward = cv2.distanceTransform(hidden.astype(np.uint8), cv2.DIST_L2, 5)
    band = hidden & (inward < BAND_PX)
    fine = texture(crop, band, never=hidden & ~band)
    share = np.clip((BAND_PX - inward) / SEAM_PX, 0, 1)[..., None]
    return np.where(hidden[..., None], np.rint(share * fine + (1 - share) * deep), crop).astype(np.uint8)


def _deep(crop: Picture, hidden: Mask) -> Picture:
    """The crop filled at half size."""
    height, width = hidden.shape
    small = cv2.resize(crop, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    mixed = cv2.resize(hidden.astype(np.float32), (width // 2, height // 2), interpolation=cv2.INTER_AREA) > 0
    filled = texture(np.asarray(small, np.uint8), np.asarray(mixed))
    return np.asarray(cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


class PlateStore:
    """Plates on disk, by what they are made of. What cannot be read, or is another's, counts as not there; what cannot be written
    is made anew the next time."""

    def __init__(self, folder: Path | None = None) -> None:
        """``folder``: by default one in the user's folder of caches."""
        self._folder = folder or user_folder("cache") / "plates"

    def find(self, crop: Picture, matte: Floats) -> Picture | None:
        """The textured plate of a crop, if it is there."""
        try:
            content = self._file(crop, matte).read_bytes()
        except OSError:
            return None
        digest, _, data = content.partition(b"\n")
        if digest != _digest(data):
            return None
        plate = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
        return np.asarray(plate, np.uint8) if plate is not None and plate.shape == crop.shape else None

    def make(self, crop: Picture, matte: Floats) -> Picture:
        """``textured_plate``, then kept; of too many the oldest are removed."""
        plate = textured_plate(crop, matte)
        data = cv2.imencode(".png", plate[..., ::-1])[1].tobytes()
        with contextlib.suppress(OSError, InputError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_bytes(self._file(crop, matte), _digest(data) + b"\n" + data)
            files = sorted(self._folder.glob("*.plate"), key=lambda file: file.stat().st_mtime)
            for old in files[:-KEPT]:
                old.unlink(missing_ok=True)
        return plate

    def _file(self, crop: Picture, matte: Floats) -> Path:
        made_of = METHOD + np.ascontiguousarray(crop).tobytes() + np.ascontiguousarray(matte).tobytes()
        return self._folder / f"{hashlib.sha256(made_of).hexdigest()[:32]}.plate"


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(METHOD + data).hexdigest().encode()
