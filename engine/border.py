"""Continuing a photograph beyond its border: the background by its texture, the person smoothly.

Nothing of the person is copied: a copied eye or mouth would be a second face.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from engine.crop import face_size
from engine.fill import fill, texture
from engine.matte import PERSON
from engine.track import person_matte
from engine.values import Face, Floats, Mask, Picture, Square

SIDE_PX = 256  # of the square, when what is beyond is filled in; more takes long
ENOUGH = 0.15  # background that is seen, in areas of what it is to fill; of less, repetitions would show
HEAD_BEYOND = 0.35  # face heights that a head, cut off by the border, goes on beyond it
CHIN = 0.2  # face heights below the chin over which head becomes shoulders
ROUND = (0.1, 0.9)  # a smoothly continued share between these becomes the outline
SOFTER = ((0.5, 1.5), (3, 4), (10, 10))  # distance from the border, of SIDE_PX, and how soft it is from there
GAP = np.ones((9, 9), np.uint8)  # at SIDE_PX: of the person, what is closed, for the network is unsure at the border
TRACE = 0.1  # share of person from which a pixel is not copied
NEAR = np.ones((25, 25), np.uint8)  # at SIDE_PX: nor is what is nearer to such a pixel, for the share is known to some pixels


def continued(photo: Picture, square: Square, face: Face) -> tuple[Picture, Square]:
    """The photograph as far as the square around its face reaches beyond it, and the square in there."""
    half = square.side_px / 2
    height, width = photo.shape[:2]
    edges = (
        half - square.centre_x_px,
        square.centre_x_px + half - width,
        half - square.centre_y_px,
        square.centre_y_px + half - height,
    )
    left, right, top, bottom = (max(0, int(np.ceil(edge))) for edge in edges)
    if not left + right + top + bottom:
        return photo, square
    moved = replace(square, centre_x_px=square.centre_x_px + left, centre_y_px=square.centre_y_px + top)
    wide = cv2.copyMakeBorder(photo, top, bottom, left, right, cv2.BORDER_REPLICATE)
    inside = cv2.copyMakeBorder(np.ones((height, width), np.float32), top, bottom, left, right, cv2.BORDER_CONSTANT, value=(0,))
    scale = min(1.0, SIDE_PX / square.side_px)
    size = (round(wide.shape[1] * scale), round(wide.shape[0] * scale))
    small = np.asarray(cv2.resize(wide, size, interpolation=cv2.INTER_AREA), np.uint8)
    seen = np.asarray(cv2.resize(inside, size, interpolation=cv2.INTER_AREA) > 1 - 1e-4)
    points = (face.landmarks[:, :2] + np.array([left, top], np.float32)) * np.float32(scale)
    filled = _filled(small, seen, _window(moved, scale), points, face_size(face) * scale)
    smooth = cv2.resize(filled, wide.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return np.where(inside[..., None] > 0, wide, smooth).astype(np.uint8), moved


def _window(square: Square, scale: float) -> tuple[slice, slice]:
    x, y, half = square.centre_x_px, square.centre_y_px, square.side_px / 2
    rows, columns = (slice(max(0, int((at - half) * scale)), int(np.ceil((at + half) * scale))) for at in (y, x))
    return rows, columns


def _filled(picture: Picture, seen: Mask, window: tuple[slice, slice], points: Floats, face_px: float) -> Picture:
    """(H, W, 3) person over background beyond what is seen of a picture; texture in the window only.

    ``points`` (478, 2) are the face's.
    """
    share = np.zeros(seen.shape, np.float32)
    for whole in (_soft(picture, seen), fill(picture, seen)):  # what either shows of a person is one
        levels = np.rint(whole[window]).astype(np.uint8)
        share[window] = np.maximum(share[window], person_matte(np.ascontiguousarray(levels)))
    grown = cv2.dilate(np.where(seen, share, 0), GAP)
    share = np.where(seen, cv2.erode(np.where(seen, grown, 1), GAP), share)
    share = _ending(share, seen, points, face_px)
    source = seen & (cv2.dilate(share, NEAR) < TRACE)
    behind = _soft(_only(picture, seen & (share < TRACE)), seen)
    behind[window] = _textured(picture[window], behind[window], source[window], ~seen[window] & (share[window] < 1))
    mixed = share[..., None] * _soft(_only(picture, seen & (share > PERSON)), seen) + (1 - share[..., None]) * behind
    return np.where(seen[..., None], picture, np.rint(mixed)).astype(np.uint8)


def _ending(share: Floats, seen: Mask, points: Floats, face_px: float) -> Floats:
    """The share of person (H, W), all of the face; beyond what is seen a head is rounded off, shoulders stay as they are."""
    hull = np.asarray(cv2.convexHull(points.round().astype(np.int32)), np.int32)
    share = np.maximum(share, cv2.fillConvexPoly(np.zeros(seen.shape, np.uint8), hull, (1,)))
    distance = cv2.distanceTransform((~seen).astype(np.uint8), cv2.DIST_L2, 5)
    low, high = ROUND
    head = (_soft(share, seen) * np.clip(1 - distance / (HEAD_BEYOND * face_px), 0, 1) - low) / (high - low)
    below = (np.arange(len(share)) - points[:, 1].max()) / (CHIN * face_px)
    shoulders = np.clip(below, 0, 1)[:, None]
    return np.where(seen, share, shoulders * share + (1 - shoulders) * np.clip(head, 0, 1)).astype(np.float32)


def _only(picture: Picture, known: Mask) -> Floats | Picture:
    """The picture with its known part, if there is one, in place of the rest."""
    return np.where(known[..., None], picture, fill(picture, known)).astype(np.float32) if known.any() else picture


def _soft(values: Floats | Picture, seen: Mask) -> Floats:
    """(H, W) or (H, W, 3) values continued beyond what is seen, a rectangle, from its edge, the softer the farther out."""
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    top, left, (height, width) = rows[0], columns[0], seen.shape
    inner = values[top : rows[-1] + 1, left : columns[-1] + 1].astype(np.float32)
    wide = cv2.copyMakeBorder(inner, top, height - 1 - rows[-1], left, width - 1 - columns[-1], cv2.BORDER_REPLICATE)
    distance = cv2.distanceTransform((~seen).astype(np.uint8), cv2.DIST_L2, 5)
    distance = distance.reshape(*seen.shape, *(1,) * (values.ndim - 2))
    out = wide.copy()
    for start_px, sigma_px in SOFTER:
        out += np.clip(distance / start_px - 1, 0, 1) * (cv2.GaussianBlur(wide, (0, 0), sigma_px) - out)
    return np.asarray(out, np.float32)


def _textured(picture: Picture, behind: Floats, source: Mask, hole: Mask) -> Floats:
    """What is behind the person with the source's texture in the hole; smooth as it is where the source is small."""
    if source.sum() < ENOUGH * hole.sum():
        return behind
    return np.where(hole[..., None], texture(picture, hole, never=~(hole | source)), behind).astype(np.float32)
