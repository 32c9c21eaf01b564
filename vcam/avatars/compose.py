"""The animated square in its surroundings: everything that stands still is drawn once, each frame only pastes the square.

Surroundings are the photograph where it reaches, brought to the resolution of the animated square so that both look alike;
beyond its edges they continue its border colours, the softer the farther out.
"""

from __future__ import annotations

import copy

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.values import Floats, Picture, Square
from vcam.avatars.framing import View, frame_view

ANIMATED_PX = 512
SEAM_PX = 20  # width of the cross-over between square and surroundings
SOFT_PX = 60  # distance from the photograph at which the extension is fully soft


class Composer:
    """``compose`` puts a 512² animated picture into the output picture (height, width, 3)."""

    def __init__(self, photo: Picture, square: Square, output_size: tuple[int, int]) -> None:
        view = frame_view((photo.shape[1], photo.shape[0]), square, output_size)
        left, top, side = view.place(square)
        self._surroundings = draw_surroundings(photo, square, view, output_size)
        self._left, self._top, self._side = round(left), round(top), round(side)
        self._whole = output_size == (self._side, self._side)
        self._bands = seam_bands(self._surroundings, self._left, self._top, self._side)

    @property
    def surroundings(self) -> Picture:
        """(height, width, 3) what stands still, also where the square covers it; not to be changed."""
        return self._surroundings

    @property
    def place(self) -> tuple[int, int, int]:
        """Left, top and side of the square in the output [px]."""
        return self._left, self._top, self._side

    def with_surroundings(self, surroundings: Picture) -> Composer:
        """The same square in other surroundings of the same size."""
        other = copy.copy(self)
        other._surroundings = surroundings
        other._bands = seam_bands(surroundings, self._left, self._top, self._side)
        return other

    def compose(self, animated: Picture) -> Picture:
        """(512, 512, 3) → a new (height, width, 3)."""
        side = self._side
        shown = animated
        if animated.shape[0] != side:
            smaller = side < animated.shape[0]
            shown = cv2.resize(animated, (side, side), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)  # type: ignore[assignment]
        if self._whole:
            return shown.copy() if shown is animated else shown
        output = self._surroundings.copy()
        square = output[self._top : self._top + side, self._left : self._left + side]
        np.copyto(square, shown)
        for rows, columns, still, weight in self._bands:
            moving = shown[rows, columns].astype(np.int16)
            square[rows, columns] = still + (((moving - still) * weight) >> 7)
        return output


Weights = NDArray[np.int16]
Band = tuple[slice, slice, Weights, Weights]


def seam_bands(surroundings: Picture, left: int, top: int, side: int) -> list[Band]:
    """The strips along the square's edges in which it crosses over into the surroundings.

    Each: rows and columns in the square, the still picture there (int16), and the weight 0…128 of the animated one. Edges that
    lie on the border of the output need no seam. The strips do not overlap.
    """
    height, width = surroundings.shape[:2]
    inner = [top > 0, top + side < height, left > 0, left + side < width]  # top, bottom, left, right
    weights = seam_weights(side, inner)
    first = SEAM_PX if inner[0] else 0
    last = side - SEAM_PX if inner[1] else side
    places = [
        (inner[0], slice(0, SEAM_PX), slice(0, side)),
        (inner[1], slice(side - SEAM_PX, side), slice(0, side)),
        (inner[2], slice(first, last), slice(0, SEAM_PX)),
        (inner[3], slice(first, last), slice(side - SEAM_PX, side)),
    ]
    square = surroundings[top : top + side, left : left + side].astype(np.int16)
    return [(rows, columns, square[rows, columns], weights[rows, columns]) for wanted, rows, columns in places if wanted]


def seam_weights(side: int, inner: list[bool]) -> Weights:
    """(side, side, 1) int16: 128 inside, falling smoothly to 0 at the edges marked in ``inner`` (top, bottom, left, right)."""
    rise = (np.arange(side, dtype=np.float32) + 0.5) / SEAM_PX
    rise = np.clip(rise, 0, 1)
    rise = rise * rise * (3 - 2 * rise)
    ones = np.ones(side, np.float32)
    down = np.minimum(rise if inner[0] else ones, rise[::-1] if inner[1] else ones)
    across = np.minimum(rise if inner[2] else ones, rise[::-1] if inner[3] else ones)
    return np.asarray(np.round(128 * np.outer(down, across))[..., None], np.int16)


def draw_surroundings(photo: Picture, square: Square, view: View, output_size: tuple[int, int]) -> Picture:
    """(height, width, 3) the view of the photograph with its extension, no sharper than the animated square."""
    working = min(view.scale, ANIMATED_PX / square.side_px)  # output pixels per photo pixel before the last enlargement
    size = (max(1, round(view.width_px * working)), max(1, round(view.height_px * working)))
    canvas = extended_view(smoothed_for(photo, working), view, working, size)
    if size != output_size:
        canvas = cv2.resize(canvas, output_size, interpolation=cv2.INTER_CUBIC)  # type: ignore[assignment]
    return canvas


def smoothed_for(photo: Picture, scale: float) -> Picture:
    """Low-pass filtered so that shrinking by ``scale`` does not shimmer; unchanged when it is not shrunk."""
    if scale >= 0.9:
        return photo
    return np.asarray(cv2.GaussianBlur(photo, (0, 0), 0.45 / scale), np.uint8)


def extended_view(photo: Picture, view: View, scale: float, size: tuple[int, int]) -> Picture:
    """The view at ``scale``, edge colours continued beyond the photo and blurred with growing distance from it."""
    matrix = np.array([[scale, 0, -view.left_px * scale], [0, scale, -view.top_px * scale]], np.float64)
    matrix[:, 2] += 0.5 * scale - 0.5  # pixel centres lie at index + 0.5
    sharp = cv2.warpAffine(photo, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    distance = distance_outside(photo, view, scale, size)
    if not distance.any():
        return np.asarray(sharp, np.uint8)
    soft = sharp.astype(np.float32)
    for sigma_px in (6, 24, 60):
        weight = np.clip(distance / (SOFT_PX * sigma_px / 60), 0, 1)[..., None]
        soft += (blurred(soft, sigma_px) - soft) * weight
    return np.asarray(np.clip(soft + 0.5, 0, 255), np.uint8)


def blurred(picture: Floats, sigma_px: float) -> Floats:
    """A Gaussian blur, computed at a resolution at which it is 3 px wide: as smooth, and many times faster."""
    factor = max(1.0, sigma_px / 3)
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (max(1, round(width / factor)), max(1, round(height / factor))), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma_px / factor, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def distance_outside(photo: Picture, view: View, scale: float, size: tuple[int, int]) -> Floats:
    """(height, width) distance of each canvas pixel from the photograph in canvas pixels; 0 where it covers the pixel."""
    x = (np.arange(size[0], dtype=np.float32) + 0.5) / scale + view.left_px
    y = (np.arange(size[1], dtype=np.float32) + 0.5) / scale + view.top_px
    beyond_x = np.maximum(np.maximum(-x, x - photo.shape[1]), 0) * scale
    beyond_y = np.maximum(np.maximum(-y, y - photo.shape[0]), 0) * scale
    return np.asarray(np.hypot(beyond_x[None, :], beyond_y[:, None]), np.float32)
