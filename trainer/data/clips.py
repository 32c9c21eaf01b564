"""From a photograph or the frames of a video to clips: runs of crops that share one square."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from engine.crop import cut, face_centre, face_size, square_around
from engine.track import Tracker
from engine.values import Face, Floats, Mask, Picture, Square
from engine.video import Frame
from trainer.data.quality import MIN_FACE_PX
from trainer.data.shards import CROP_PX

MAX_SHIFT, MAX_SCALE = 0.22, 0.25  # of a face against the clip's square: sides, logarithm
LONGEST_CLIP = 256  # crops
_THUMBNAIL_PX = 96
_THUMBNAILS = 3

NO_FACE, SMALL_FACE = "no face found", "face too small"


@dataclass(frozen=True, eq=False)
class Clip:
    """Crops (512, 512, 3) of one face in one square; faces in crop pixels; heights of the face in the source [px].

    known (512, 512): what a camera saw; beyond it a crop repeats the edge of its picture.
    """

    known: Mask
    crops: list[Picture] = field(default_factory=list)
    faces: list[Face] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    source_face_px: list[float] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Rejects:
    """Pictures that were left out: how many for which reason, and a few of them small."""

    reasons: Counter[str] = field(default_factory=Counter)
    thumbnails: list[tuple[str, Picture]] = field(default_factory=list)

    def add(self, reason: str, picture: Picture) -> None:
        """Counts one; keeps it small if it is among the first."""
        self.reasons[reason] += 1
        if len(self.thumbnails) < _THUMBNAILS:
            side = min(picture.shape[:2])
            middle = Square(picture.shape[1] / 2, picture.shape[0] / 2, side)
            self.thumbnails.append((reason, cut(picture, middle, _THUMBNAIL_PX)))


def clips(frames: Iterable[Frame], tracker: Tracker, rejects: Rejects) -> Iterator[Clip]:
    """Follows the largest face; a new clip begins when it leaves the square, is lost, or the clip is long."""
    clip: Clip | None = None
    square, last = None, None
    for frame in frames:
        face = _choose(tracker.find_all(frame.image), last)
        if face is None or face_size(face) < MIN_FACE_PX:
            rejects.add(NO_FACE if face is None else SMALL_FACE, frame.image)
            last, face = None, None
        if clip and square and (face is None or not _fits(square, face) or len(clip.crops) >= LONGEST_CLIP):
            yield clip
            clip, square = None, None
        if face is None:
            continue
        square = square or square_around(face)
        clip = clip or Clip(_known(square, frame.image))
        last = face_centre(face)
        _append(clip, frame, face, square)
    if clip:
        yield clip


def _choose(faces: list[Face], last: Floats | None) -> Face | None:
    """The one nearest to where it was, at first the largest."""
    if not faces:
        return None
    if last is None:
        return max(faces, key=face_size)
    nearest = min(faces, key=lambda face: float(np.linalg.norm(face_centre(face) - last)))
    return nearest if np.linalg.norm(face_centre(nearest) - last) < face_size(nearest) else max(faces, key=face_size)


def _fits(square: Square, face: Face) -> bool:
    own = square_around(face)
    shift = np.hypot(own.centre_x_px - square.centre_x_px, own.centre_y_px - square.centre_y_px) / square.side_px
    return bool(shift < MAX_SHIFT and abs(np.log(own.side_px / square.side_px)) < MAX_SCALE)


def _known(square: Square, picture: Picture) -> Mask:
    whole = np.full(picture.shape[:2], 255, np.uint8)
    seen = cv2.warpAffine(whole, square.matrix(CROP_PX), (CROP_PX, CROP_PX), flags=cv2.INTER_LINEAR, borderValue=(0,))
    return np.asarray(seen == 255)


def _append(clip: Clip, frame: Frame, face: Face, square: Square) -> None:
    scale = CROP_PX / square.side_px
    corner = np.array([square.centre_x_px - square.side_px / 2, square.centre_y_px - square.side_px / 2, 0], np.float32)
    landmarks = ((face.landmarks - corner) * scale).astype(np.float32)
    clip.crops.append(cut(frame.image, square, CROP_PX))
    clip.faces.append(replace(face, landmarks=landmarks, size=(CROP_PX, CROP_PX)))
    clip.times_s.append(frame.time_s)
    clip.source_face_px.append(face_size(face))
