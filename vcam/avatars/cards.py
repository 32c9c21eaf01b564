"""The pictures shown when there is no avatar to show, drawn by code: starting, and privacy."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from engine.values import Picture

BACKGROUND_TOP, BACKGROUND_BOTTOM = (38, 44, 54), (20, 23, 29)
SHAPE, TITLE, LINE = (62, 71, 86), (235, 238, 243), (160, 170, 185)


def placeholder(size: tuple[int, int]) -> Picture:
    """The card sent before the avatar is ready; size = (width, height)."""
    return card(size, "HifiHead Cam", "starting…")


def privacy_card(size: tuple[int, int]) -> Picture:
    """The card sent when nobody is in front of the camera, or something failed."""
    return card(size, "HifiHead Cam", "paused")


def paused_card(size: tuple[int, int]) -> Picture:
    """The card that the user asked for."""
    return card(size, "HifiHead Cam", "back soon")


def card(size: tuple[int, int], title: str, line: str) -> Picture:
    """(height, width, 3): a head-and-shoulders shape with two centred lines of text under it."""
    width, height = size
    picture = gradient(width, height)
    draw_person(picture)
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    unit = min(width, height)
    draw.text((width / 2, height * 0.80), title, TITLE, ImageFont.load_default(max(10, unit * 0.062)), anchor="mm")
    draw.text((width / 2, height * 0.88), line, LINE, ImageFont.load_default(max(9, unit * 0.042)), anchor="mm")
    return np.array(image, np.uint8)


def gradient(width: int, height: int) -> Picture:
    """A dark vertical gradient (height, width, 3)."""
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    column = (1 - share) * np.array(BACKGROUND_TOP, np.float32) + share * np.array(BACKGROUND_BOTTOM, np.float32)
    return np.repeat(np.round(column).astype(np.uint8)[:, None], width, axis=1)


def draw_person(picture: Picture) -> None:
    """A plain head and shoulders in the upper three quarters, in place."""
    height, width = picture.shape[:2]
    unit = min(width, height)
    middle = width // 2
    cv2.ellipse(
        picture, (middle, round(0.70 * height)), (round(0.24 * unit), round(0.20 * unit)), 0, 180, 360, SHAPE, -1, cv2.LINE_AA
    )
    cv2.ellipse(
        picture, (middle, round(0.32 * height)), (round(0.115 * unit), round(0.145 * unit)), 0, 0, 360, SHAPE, -1, cv2.LINE_AA
    )
