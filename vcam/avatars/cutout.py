"""An avatar before another background: the person cut out of the photograph, in the square and around it.

What stands still is drawn once for each background. The square gets another plate and foreground, so that animating it costs
what it did; light of the background that falls around the person's edge is painted into the foreground and moves with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from engine.cutout import pure_colours
from engine.fill import fill
from engine.values import Floats, Picture, Square
from vcam.avatars.compose import ANIMATED_PX, Composer, draw_surroundings
from vcam.avatars.framing import frame_view

WRAP_PX = 10.0  # how far light reaches around the edge, of 512; standard deviation
FRINGE_PX = 25  # width of what is neither, around the person
CLEAR = 0.02  # alpha below which a pixel shows the background alone

Relayer = Callable[[Picture, Picture], Any]
"""Foreground and plate (512, 512, 3) → what the animator draws, by the person's alpha."""


@dataclass(frozen=True)
class Backdrop:
    """An avatar before a background: what the animator draws, and what surrounds it. Those of one ``scene`` do not cross-fade."""

    source: Any
    composer: Composer
    scene: object = None


class Cutout:
    """The person of one avatar. ``before`` puts them before a background; slow to make (tenths of a second)."""

    def __init__(
        self,
        crop: Picture,
        crop_alpha: Floats,
        photo: Picture,
        photo_alpha: Floats,
        square: Square,
        composer: Composer,
        relayer: Relayer,
    ) -> None:
        """crop (512, 512, 3) and photo (H, W, 3) with the alpha 0…1 of the person in each; ``square`` as of ``Portrait``."""
        self._composer, self._relayer = composer, relayer
        self._square = Layer(crop, crop_alpha, WRAP_PX)
        # around the square
        shown = composer.surroundings
        size = (shown.shape[1], shown.shape[0])
        view = frame_view((photo.shape[1], photo.shape[0]), square, size)
        alpha = draw_surroundings(levels(photo_alpha), square, view, size)[..., 0].astype(np.float32) / 255
        self._around = Layer(shown, alpha, WRAP_PX * composer.place[2] / ANIMATED_PX)
        person = cv2.dilate((alpha > CLEAR).astype(np.uint8), np.ones((FRINGE_PX, FRINGE_PX), np.uint8)) > 0
        self.own = np.asarray(fill(shown, ~person) + 0.5, np.uint8)  # the photograph's background, without the person

    def before(self, background: Picture, light_wrap: float) -> Backdrop:
        """``background`` as the output; ``light_wrap`` 0…1, how much of its light reaches around the person's edge."""
        left, top, side = self._composer.place
        inside = background[top : top + side, left : left + side]
        plate = np.asarray(cv2.resize(inside, (ANIMATED_PX, ANIMATED_PX), interpolation=cv2.INTER_LINEAR), np.uint8)
        source = self._relayer(self._square.lit(plate, light_wrap), plate)
        return Backdrop(source, self._composer.with_surroundings(self._around.over(background, light_wrap)))


class Layer:
    """The person in a picture. What does not depend on the background is worked out once; the rest is a few passes over bytes."""

    def __init__(self, picture: Picture, alpha: Floats, reach_px: float) -> None:
        """picture (H, W, 3), alpha (H, W) 0…1; light reaches ``reach_px`` around the edge."""
        self._colours, self._reach_px = pure_colours(picture, alpha), reach_px
        self._lit = levels(np.asarray(cv2.GaussianBlur(1 - alpha, (0, 0), reach_px), np.float32))  # how near the edge is
        self._share, self._rest = levels(alpha), levels(1 - alpha)
        self._where = bounds(alpha > 0)

    def lit(self, background: Picture, strength: float) -> Picture:
        """F, brighter near the edge where the background B is: F + w·max(blurred B − F, 0)."""
        if strength == 0:
            return self._colours
        more = cv2.subtract(blurred_light(background, self._reach_px), self._colours)
        return np.asarray(cv2.add(self._colours, cv2.multiply(more, self._lit, scale=strength / 255)), np.uint8)

    def over(self, background: Picture, strength: float) -> Picture:
        """(H, W, 3) the person before the background: α·F + (1 − α)·B."""
        result, where = background.copy(), self._where
        person = cv2.multiply(self.lit(background, strength)[where], self._share[where], scale=1 / 255)
        result[where] = cv2.add(person, cv2.multiply(background[where], self._rest[where], scale=1 / 255))
        return result


def levels(share: Floats) -> Picture:
    """(H, W) 0…1 → (H, W, 3) 0…255."""
    return np.repeat((share * 255 + 0.5).astype(np.uint8)[..., None], 3, 2)


def blurred_light(picture: Picture, reach_px: float) -> Picture:
    """(H, W, 3) the picture's light as it reaches so far; worked out at an eighth of the size."""
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (max(1, width // 8), max(1, height // 8)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), max(reach_px / 8, 0.5), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def bounds(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> tuple[slice, slice]:
    """The smallest rectangle that holds all that is true."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
