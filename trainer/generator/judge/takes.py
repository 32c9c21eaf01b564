"""What is taken from a clip: frames of all of it for reconstruction, and a run of consecutive ones for motion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, dropwhile, islice
from pathlib import Path

import numpy as np

from engine.errors import InputError
from engine.track import Tracker
from engine.values import BLINKS, JAW_OPEN, Face, Floats
from engine.video import Frame, length_s, read_frames
from trainer.data.clips import Clip, Rejects, clips
from trainer.data.quality import MIN_FACE_PX
from trainer.metrics.motion import SMILES

CALM = 0.35  # unrest of a face at rest: a third of a blink, or a turn by some 15°
_NOSE, _RIGHT_CHEEK, _LEFT_CHEEK = 1, 234, 454


def spread_takes(path: Path, tracker: Tracker, most: int) -> list[Clip]:
    """At most ``most`` frames, evenly over a video, in runs that share a square; runs of one are left out. Raises InputError."""
    rate = (most - 0.5) / max(length_s(path), 1e-3)
    found = [take for take in _takes(path, read_frames(path, per_second=rate), tracker, most) if len(take.crops) > 1]
    if not found:
        raise InputError(f"{path}: no two of {most} frames show a face in one place; take more frames or a calmer clip.")
    return found


def steady_take(path: Path, tracker: Tracker, most: int) -> Clip:
    """The longest run in one square among ``most`` consecutive frames, from the first calm face on. Raises InputError."""
    frames = dropwhile(lambda frame: not _is_calm(tracker.find_all(frame.image)), read_frames(path))
    first = next(frames, None)
    found = read_frames(path) if first is None else chain([first], frames)
    return max(_takes(path, found, tracker, most), key=lambda take: len(take.crops))


def calmest(faces: Sequence[Face]) -> int:
    """The number of the face that is most like a portrait's: seen from the front, eyes open, mouth at rest."""
    return int(np.argmin([_unrest(face) for face in faces]))


def portrait_of(faces: Sequence[Face], features: Floats) -> int:
    """The number of the crop that is to be the source: of the calmer half, the one whose deep features (N, D) are most like all
    the others'. So it is not the one with a hand before the face."""
    calm = np.argsort([_unrest(face) for face in faces], kind="stable")[: (len(faces) + 1) // 2]
    apart = np.linalg.norm(features[calm, None] - features[None], axis=2).mean(1)
    return int(calm[np.argmin(apart)])


def _takes(path: Path, frames: Iterable[Frame], tracker: Tracker, most: int) -> list[Clip]:
    rejects = Rejects()
    found = list(clips(islice(frames, most), tracker, rejects))
    if not found:
        raise InputError(
            f"{path}: no face was found in {sum(rejects.reasons.values())} frames. Wanted: a clip with one face, at least "
            f"{MIN_FACE_PX} px high."
        )
    return found


def _is_calm(faces: list[Face]) -> bool:
    return bool(faces) and _unrest(faces[0]) < CALM


def _unrest(face: Face) -> float:
    x, scores = face.landmarks[:, 0], face.blendshapes
    aside = abs(2 * x[_NOSE] - x[_RIGHT_CHEEK] - x[_LEFT_CHEEK]) / max(abs(float(x[_LEFT_CHEEK] - x[_RIGHT_CHEEK])), 1.0)
    return float(aside + scores[BLINKS].mean() + scores[JAW_OPEN] + 0.5 * scores[SMILES].mean())
