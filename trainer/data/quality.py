"""How good a picture of a face is, and the sentence for those that are not good enough."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine.crop import face_size
from engine.values import Face, Picture

GOOD_FACE_PX = 220  # faces so high, in the source, are as sharp as the 512 px crop can be
MIN_FACE_PX = 64
GOOD_SHARPNESS = 9.0  # standard deviation of the Laplacian of the face at 128 px, grey levels
GOOD_MISFIT_PX, BAD_MISFIT_PX = 3.0, 14.0  # of the landmarks against the fitted head, in the 512 px crop
_FACE_PX = 128


@dataclass(frozen=True)
class Quality:
    """Each 0…1; ``score`` is the worst of them, ``complaint`` says in words which one that is."""

    size: float
    sharpness: float
    exposure: float
    fit: float

    @property
    def score(self) -> float:
        """0…1."""
        return min(self.size, self.sharpness, self.exposure, self.fit)

    @property
    def complaint(self) -> str:
        """What is wrong most."""
        words = {
            "size": "face too small",
            "sharpness": "blurred",
            "exposure": "too dark or too bright",
            "fit": "head does not fit",
        }
        return words[min(words, key=lambda name: float(getattr(self, name)))]


def rate_crop(crop: Picture, face: Face, source_face_px: float, misfit_px: float) -> Quality:
    """``face`` lies in the (512, 512, 3) crop; ``source_face_px`` is its height where it came from."""
    grey = cv2.cvtColor(_face_of(crop, face), cv2.COLOR_RGB2GRAY)
    sharpness = float(cv2.Laplacian(grey, cv2.CV_32F).std()) / GOOD_SHARPNESS
    clipped = float(((grey < 8) | (grey > 250)).mean())
    brightness = float(grey.mean())
    exposure = min(brightness / 60, (255 - brightness) / 40, 1.4 - 2 * clipped)
    fit = (BAD_MISFIT_PX - misfit_px) / (BAD_MISFIT_PX - GOOD_MISFIT_PX)
    return Quality(*(float(np.clip(value, 0, 1)) for value in (source_face_px / GOOD_FACE_PX, sharpness, exposure, fit)))


def _face_of(crop: Picture, face: Face) -> Picture:
    low = np.clip(face.landmarks[:, :2].min(0).astype(int), 0, len(crop) - 2)
    high = np.clip(face.landmarks[:, :2].max(0).astype(int) + 1, low + 2, len(crop))
    part = crop[low[1] : high[1], low[0] : high[0]]
    scale = _FACE_PX / face_size(face)
    return np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
