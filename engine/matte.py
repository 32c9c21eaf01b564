"""Taking a person out of a photograph: which share of each pixel is theirs, which colours are theirs, and which are behind them.

What a tracker's network knows is the person's outline to some pixels. It is a trimap's guess; closed-form matting finds the rest.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.closed_form import closed_form_alpha
from engine.crop import face_centre
from engine.values import Face, Floats, Mask, Picture

PERSON = 0.5  # share of person from which a pixel is one of theirs
SURE = (0.1, 0.9)  # a guess between these is none
INWARD_PX, OUTWARD_PX = 7, 14  # distance from the guessed outline from which it is sure what a pixel is, of 512
HAIR_PX = (20, 40)  # distance from what is mostly person over which the rest fades: farther out it is background that looks alike
TRACE, TRACE_PX = 0.02, 4  # what is nearer to so much of a person may be mixed with them
CLEAR = (0.05, 0.93)  # an alpha below or above is noise
NEIGHBOURS = ((0, 1), (0, -1), (1, 1), (1, -1))  # axis and step
FAINT = (0.15, 0.5)  # alpha from which the person takes a part of what is missing, and all of it
STRANGE = 30  # levels by which the background may be changed where the person is more than faint
LIKE_NEIGHBOURS = 1e-4  # how much colours resist differing from their neighbours', where alpha is even (Germer et al. 2020)
COARSE_PX, COARSE_STEPS, FINE_STEPS = 32, 10, 2


def person_alpha(crop: Picture, soft: Floats, face: Face) -> Floats:
    """(H, W) 0…1, from the crop (H, W, 3), a network's soft guess (H, W) and the face, which is always the person's."""
    hull = np.asarray(cv2.convexHull(face.landmarks[:, :2].round().astype(np.int32)), np.int32)
    sure = _trimap(crop, soft, hull, face)
    low, high = CLEAR
    alpha = np.clip((closed_form_alpha(crop, sure, soft) - low) / (high - low), 0, 1)
    solid = _around_face(alpha > PERSON, face)
    distance = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    near, far = HAIR_PX
    return np.asarray(alpha * np.clip((far - distance) / (far - near), 0, 1), np.float32)


def surely_background(alpha: Floats) -> Mask:
    """(H, W) what shows nothing of the person."""
    return np.asarray(cv2.dilate((alpha > TRACE).astype(np.uint8), _disc(TRACE_PX)) == 0)


def _trimap(crop: Picture, soft: Floats, hull: NDArray[np.int32], face: Face) -> Floats:
    """(H, W) 0, 0.5 or 1: background, to be found, person."""
    fine = cv2.ximgproc.guidedFilter(crop.astype(np.float32) / 255, soft, 8, 1e-4)
    guessed = (fine > PERSON).astype(np.uint8)
    cv2.fillConvexPoly(guessed, hull, (1,))
    person = _around_face(guessed > 0, face)
    unlikely, likely = SURE
    inner = cv2.erode(person & (soft > likely), _disc(INWARD_PX))
    cv2.fillConvexPoly(inner, hull, (1,))
    outer = cv2.dilate(person | (soft > unlikely), _disc(OUTWARD_PX))
    return np.where(inner > 0, 1, np.where(outer > 0, 0.5, 0)).astype(np.float32)


def _around_face(mask: Mask, face: Face) -> Picture:
    """0/1: of a mask the connected part that the face is in."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8))
    x, y = face_centre(face).round().astype(int)
    return np.asarray(labels == labels[y, x], np.uint8)


def _disc(radius_px: int) -> Picture:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1, 2 * radius_px + 1)), np.uint8)


def person_colours(crop: Picture, alpha: Floats) -> Floats:
    """(H, W, 3) levels: the person's own colours, where the background shines through, too, and continued beyond the outline.

    Each pixel is alpha · person + (1 − alpha) · background, both as smooth as alpha lets them be (Germer et al. 2020, "Fast
    multi-level foreground estimation"); the answer of a small picture is the next larger one's start.
    """
    height, width = alpha.shape
    person: Floats = np.full((1, 1, 3), crop.mean((0, 1)), np.float32)
    behind = person
    for level in range(max(height, width).bit_length(), -1, -1):
        size = (max(1, width >> level), max(1, height >> level))
        small = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.float32)
        share = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)[..., None]
        person, behind = (
            np.asarray(cv2.resize(colour, size, interpolation=cv2.INTER_NEAREST), np.float32) for colour in (person, behind)
        )
        for _ in range(COARSE_STEPS if max(size) <= COARSE_PX else FINE_STEPS):
            person, behind = _unmixed(small, share, person, behind)
    return person


def _unmixed(image: Floats, alpha: Floats, person: Floats, behind: Floats) -> tuple[Floats, Floats]:
    """One step of the normal equations of each pixel, its neighbours' colours being given; alpha (H, W, 1)."""
    weight, persons, behinds = np.zeros_like(alpha), np.zeros_like(image), np.zeros_like(image)
    for axis, step in NEIGHBOURS:
        like = LIKE_NEIGHBOURS + np.abs(alpha - _beside(alpha, axis, step))
        weight += like
        persons += like * _beside(person, axis, step)
        behinds += like * _beside(behind, axis, step)
    other = 1 - alpha
    first, cross, last = alpha * alpha + weight, alpha * other, other * other + weight
    of_person, of_behind = alpha * image + persons, other * image + behinds
    scale = 1 / (first * last - cross * cross)
    person, behind = (last * of_person - cross * of_behind) * scale, (first * of_behind - cross * of_person) * scale
    return np.clip(person, 0, 255), np.clip(behind, 0, 255)


def _beside(field: Floats, axis: int, step: int) -> Floats:
    """Each pixel's neighbour; beyond the border its own."""
    moved = np.roll(field, step, axis)
    edge = (slice(None),) * axis + (0 if step > 0 else -1,)
    moved[edge] = field[edge]
    return moved


def exactly(crop: Picture, alpha: Floats, person: Floats | Picture, behind: Floats | Picture) -> tuple[Floats, Picture, Picture]:
    """Alpha and both layers, changed as little as can be such that alpha · person + (1 − alpha) · behind rounds to the crop.

    What is missing is added to the person where more than a trace of them is seen: there it moves along, while in the background
    it would stay as an outline of where they stood. What they cannot take, because levels end at 0 and 255, the background takes;
    a pixel that would change it by more than ``STRANGE`` is given to one layer alone.
    """
    image, share = crop.astype(np.float32), alpha[..., None]
    rest, (low, high) = 1 - share, FAINT
    before = np.rint(behind)
    taken = np.clip((share - low) / (high - low), 0, 1) / np.maximum(share, low)
    person = _levels(person + taken * (image - share * person - rest * before))
    behind = np.where(share > PERSON, before, _levels((image - share * person) / np.maximum(rest, PERSON)))
    person = np.where(share > PERSON, _levels((image - rest * behind) / np.maximum(share, PERSON)), person)
    off = np.abs(share * person + rest * behind - image) > 0.5
    strange = (off | ((np.abs(behind - before) > STRANGE) & (share > low))).any(2, keepdims=True)
    mine = share > low
    share = np.where(strange, mine, share)
    person, behind = np.where(strange & mine, image, person), np.where(strange, np.where(mine, before, image), behind)
    return share[..., 0].astype(np.float32), person.astype(np.uint8), behind.astype(np.uint8)


def _levels(values: Floats) -> Floats:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.float32)
