"""A portrait: a photograph, the square of it that is animated, and that square taken apart into person and background.

The square is composed as ``matte · foreground + (1 − matte) · plate``; at rest that is the photograph again, and a head that
moves uncovers the plate instead of dragging the background along.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from engine.border import continued
from engine.crop import cut, face_centre, face_size, square_around
from engine.errors import InputError
from engine.fill import fill
from engine.landmark_indices import LEFT_EYE, OUTER_LIPS, RIGHT_EYE
from engine.matte import exactly, person_alpha, person_colours, surely_background
from engine.picture import read_picture
from engine.track import Tracker, person_matte
from engine.values import Face, Floats, Picture, Square

SIZE_PX = 512
MIN_FACE_PX = 96
MAX_SIDE_PX = 2560  # larger photographs are reduced first: a 720p view never shows more
VIEW_PX = 800  # faces are looked for in views of at most this size
HEAD_ABOVE, HEAD_BESIDE = 0.3, 0.1  # face heights that heads go on above their landmarks; to the sides and below, at least
SAME_FACE = 0.1  # of a face's height: the mean distance of landmarks up to which two faces are one


@dataclass(frozen=True)
class Portrait:
    """What is known of a photograph before any head is fitted to it.

    photo       (H, W, 3)      the whole photograph, extended softly where the square reaches beyond it
    square                     the animated square, in pixels of ``photo``
    crop        (512, 512, 3)  that square
    face                       the face in the crop, landmarks in crop pixels
    matte       (512, 512)     0…1, the person's share
    foreground  (512, 512, 3)  the person's own colours, continued beyond their outline
    plate       (512, 512, 3)  the background, filled in behind the person
    notes                      sentences for the user
    """

    photo: Picture
    square: Square
    crop: Picture
    face: Face
    matte: Floats
    foreground: Picture
    plate: Picture
    notes: tuple[str, ...]


def load_portrait(path: Path) -> Portrait:
    """Reads and prepares a photograph; raises InputError when it cannot become an avatar."""
    return make_portrait(read_picture(path), str(path))


def make_portrait(photo: Picture, name: str) -> Portrait:
    """``load_portrait`` for a picture already in memory; ``name`` is used in messages."""
    found = find_face(photo, name)
    matte, foreground, plate = separate(found.crop, person_matte(found.crop), found.face)
    return Portrait(found.photo, found.square, found.crop, found.face, matte, foreground, plate, found.notes)


@dataclass(frozen=True)
class FaceInPhotograph:
    """The square around a photograph's largest face; arrays as of ``Portrait``."""

    photo: Picture
    square: Square
    crop: Picture
    face: Face
    notes: tuple[str, ...]


def find_face(photo: Picture, name: str) -> FaceInPhotograph:
    """The square around the largest face of a picture.

    Raises InputError when there is none that is large enough, or when its eyes or mouth lie beyond the picture's edge.
    """
    photo = _limit(photo)
    with Tracker("picture") as tracker:
        face, notes = _find_face(tracker, photo, name)
        notes += _cut_off(face, name)
        square = square_around(face)
        expected = _moved(face, square)
        photo, square = continued(photo, square, face)
        crop = cut(photo, square, SIZE_PX, cv2.INTER_LANCZOS4)  # a fifth more fine detail than the cubic kernel
        in_crop = _same(tracker.find_all(crop), expected)
    return FaceInPhotograph(photo, square, crop, in_crop, notes)


def separate(crop: Picture, soft: Floats, face: Face) -> tuple[Floats, Picture, Picture]:
    """A crop and its soft person matte (512, 512) → matte, foreground and plate of a ``Portrait``.

    ``matte · foreground + (1 − matte) · plate`` rounds to the crop.
    """
    alpha = np.rint(person_alpha(crop, soft, face) * 255).astype(np.float32) / 255
    return exactly(crop, alpha, person_colours(crop, alpha), fill(crop, surely_background(alpha)))


def with_plate(portrait: Portrait, plate: Picture) -> Portrait:
    """The same with another plate (512, 512, 3); at rest it is the photograph as well."""
    matte, foreground, plate = exactly(portrait.crop, portrait.matte, portrait.foreground, plate)
    return replace(portrait, matte=matte, foreground=foreground, plate=plate)


def _limit(photo: Picture) -> Picture:
    scale = MAX_SIDE_PX / max(photo.shape[:2])
    if scale >= 1:
        return photo
    return np.asarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _find_face(tracker: Tracker, photo: Picture, name: str) -> tuple[Face, tuple[str, ...]]:
    faces = [face for view in _views(photo) for face in _find_in(tracker, photo, view)]
    if not faces:
        raise InputError(
            f"No face was found in {name}. Wanted: a photograph with one face seen from the front, eyes and mouth visible."
        )
    face = _largest(faces)
    height = face_size(face)
    if height < MIN_FACE_PX:
        raise InputError(
            f"The face in {name} is {height:.0f} px high. Wanted: at least {MIN_FACE_PX} px; "
            "take a larger photograph or one with the face closer."
        )
    others = [other for other in faces if np.linalg.norm(face_centre(other) - face_centre(face)) > 0.5 * height]
    notes = (f"{name} shows several faces; the largest one is used.",) if others else ()
    return face, notes


def _cut_off(face: Face, name: str) -> tuple[str, ...]:
    """A sentence for the user where the picture's edge cuts the head off; raises InputError where it cuts off eyes or mouth."""
    points = face.landmarks[:, :2] / face_size(face)
    width, height = np.array(face.size) / face_size(face)
    features = points[[*LEFT_EYE, *RIGHT_EYE, *OUTER_LIPS]]
    if features.min() < 0 or (features > (width, height)).any():
        raise InputError(
            f"The face in {name} is cut off by the picture's edge. Wanted: a photograph with all of the head, eyes and mouth."
        )
    (left, top), (right, bottom) = points.min(0), points.max(0)
    room = {"on the left": left, "on the right": width - right, "at the top": top, "at the bottom": height - bottom}
    sides = [side for side, free in room.items() if free < (HEAD_ABOVE if side == "at the top" else HEAD_BESIDE)]
    if not sides:
        return ()
    return (
        f"{name} ends too close to the face {' and '.join(sides)}: what is missing of the head is filled in blurred, and shows. "
        "A photograph with the whole head and some room around it looks better.",
    )


def _views(photo: Picture) -> list[tuple[int, int, int, int]]:
    """Windows (x, y, width, height) to look for faces in: all of it, with a margin for faces that fill it, then quarters."""
    height, width = photo.shape[:2]
    margin = max(height, width) // 2
    whole = [(0, 0, width, height), (-margin, -margin, width + 2 * margin, height + 2 * margin)]
    w, h = width * 3 // 5, height * 3 // 5
    return whole + [(x, y, w, h) for y in (0, height - h) for x in (0, width - w)]


def _find_in(tracker: Tracker, photo: Picture, view: tuple[int, int, int, int]) -> list[Face]:
    x, y, width, height = view
    scale = min(1.0, VIEW_PX / max(width, height))
    matrix = np.array([[scale, 0, -x * scale], [0, scale, -y * scale]])
    size = (round(width * scale), round(height * scale))
    window = cv2.warpAffine(photo, matrix, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    found = tracker.find_all(np.asarray(window, np.uint8))
    corner = np.array([x, y, 0], np.float32)
    whole = (photo.shape[1], photo.shape[0])
    return [replace(face, landmarks=face.landmarks / np.float32(scale) + corner, size=whole) for face in found]


def _largest(faces: list[Face]) -> Face:
    return max(faces, key=face_size)


def _same(found: list[Face], expected: Face) -> Face:
    """Of the faces found the one that lies where it is expected, with landmarks of its own; else the expected one itself."""

    def distance(face: Face) -> float:
        return float(np.linalg.norm(face.landmarks[:, :2] - expected.landmarks[:, :2], axis=1).mean())

    near = [face for face in found if distance(face) < SAME_FACE * face_size(expected)]
    return min(near, key=distance, default=expected)


def _moved(face: Face, square: Square) -> Face:
    """A face of the photograph, in pixels of the square's crop."""
    scale = SIZE_PX / square.side_px
    corner = np.array([square.centre_x_px - square.side_px / 2, square.centre_y_px - square.side_px / 2, 0], np.float32)
    return replace(face, landmarks=((face.landmarks - corner) * scale).astype(np.float32), size=(SIZE_PX, SIZE_PX))
