"""The pictures of a video from which an avatar is best made: sharp ones, each of which shows something else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.crop import face_size
from engine.errors import InputError
from engine.files import make_folder
from engine.photographs.contributions import BROW_RAISERS, SMILES
from engine.picture_file import write_picture
from engine.portrait import MIN_FACE_PX
from engine.values import BLINKS, JAW_OPEN, Face, Picture
from engine.video import Frame

REST = "0-rest"
LEAST = 0.35  # score from which on a picture shows what it is taken for
LEAST_SHARP = 0.6  # of the median sharpness of the video's faces: what is more blurred is not taken
_NOSE, _RIGHT_CHEEK, _LEFT_CHEEK = 1, 234, 454


@dataclass(frozen=True)
class Take:
    """A picture that is taken: under which name, and when it is shown [s]."""

    name: str
    picture: Picture
    time_s: float


def kinds(face: Face) -> dict[str, float]:
    """Name → how much a face shows of it, about 0…1; of ``REST`` how little of all."""
    scores, x = face.blendshapes, face.landmarks[:, 0]
    aside = (2 * x[_NOSE] - x[_RIGHT_CHEEK] - x[_LEFT_CHEEK]) / max(abs(float(x[_LEFT_CHEEK] - x[_RIGHT_CHEEK])), 1.0)
    turn = abs(float(aside))
    found = {
        "1-smile": float(scores[SMILES].mean()) - turn,
        "2-open": float(scores[JAW_OPEN]) * 1.3 - turn,
        "3-shut": float(scores[BLINKS].min()) - turn,
        "4-brows": float(scores[BROW_RAISERS].mean()) - turn,
        "5-left": float(aside),
        "6-right": -float(aside),
    }
    found[REST] = 1 - sum(max(value, 0.0) for value in found.values())
    return found


def choose(frames: Iterable[tuple[Frame, Face]], name: str) -> list[Take]:
    """The face at rest, and of each other kind the picture that shows it most, where one does. Raises InputError without a face
    that is large enough."""
    best: dict[str, tuple[float, Take]] = {}
    sharpness: list[float] = []
    for frame, face in frames:
        if face_size(face) < MIN_FACE_PX:
            continue
        sharpness.append(_sharpness(frame.image, face))
        if sharpness[-1] < LEAST_SHARP * float(np.median(sharpness)):
            continue
        for kind, score in kinds(face).items():
            if kind not in best or score > best[kind][0]:
                best[kind] = (score, Take(kind, frame.image.copy(), frame.time_s))
    if not best:
        raise InputError(f"{name} shows no face of at least {MIN_FACE_PX} px; wanted: a video of one person, from the front.")
    return [take for kind, (score, take) in sorted(best.items()) if kind == REST or score > LEAST]


def refuse_folder(folder: Path) -> None:
    """Raises InputError for a folder that holds something, or that is none."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already; wanted: a new folder, or an empty one.")


def write_takes(takes: Iterable[Take], folder: Path) -> list[Path]:
    """Writes the pictures as JPEG files into a folder, which must not hold any yet. Raises InputError."""
    refuse_folder(folder)
    make_folder(folder)
    paths = []
    for take in takes:
        paths.append(folder / f"{take.name}.jpg")
        write_picture(paths[-1], take.picture)
    return paths


def _sharpness(picture: Picture, face: Face) -> float:
    low, high = face.landmarks[:, :2].min(0), face.landmarks[:, :2].max(0)
    (left, top), (right, bottom) = (np.clip(end, 0, face.size).astype(int) for end in (low, high))
    grey = cv2.cvtColor(np.ascontiguousarray(picture[top:bottom, left:right]), cv2.COLOR_RGB2GRAY)
    return float(np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean()) if grey.size else 0.0
