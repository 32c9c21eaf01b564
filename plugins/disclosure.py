"""Pictures that say that they are made by a machine: a small visible mark, and an invisible one."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydantic import Field

from engine.values import Picture
from engine.watermark import Watermark
from vcam.plugins import PluginContext, PluginSettings

LETTERS = 0.032  # height of the letters, of the picture's
SMALLEST_PX = 12
WIDEST = 0.9  # of the picture's width
INK, PLATE = (255, 255, 255, 235), (0, 0, 0, 120)  # RGBA


class DisclosureSettings(PluginSettings):
    """[plugins.disclosure]"""

    enabled: bool = Field(True, description="whether the plug-in is on")
    text: str = Field("AI avatar", max_length=80, description='the visible mark; "" = none')
    place: Literal["bottom-right", "bottom-left", "top-right", "top-left"] = Field("bottom-right", description="where it stands")
    watermark: bool = Field(True, description="whether there is also an invisible mark, which hifihead verify finds")


class DisclosurePlugin:
    """Marks every picture as made by a machine, visibly and invisibly."""

    order = 90  # after whatever else changes pictures
    budget_ms = 6.0

    Settings = DisclosureSettings

    def start(self, context: PluginContext[DisclosureSettings]) -> None:
        settings = context.settings
        self._watermark = Watermark(context.size) if settings.watermark else None
        self._label = Label(settings.text, settings.place, context.size) if settings.text.strip() else None

    def on_frame(self, picture: Picture, time: float) -> Picture:
        marked = picture.copy() if self._watermark is None else self._watermark.mark(picture)
        if self._label is not None:
            self._label.draw(marked)
        return marked


class Label:
    """Text on a dark plate in a corner of pictures of one size; drawn once, then blended."""

    def __init__(self, text: str, place: str, size: tuple[int, int]) -> None:
        width, height = size
        drawn = label(text, max(SMALLEST_PX, round(LETTERS * height)), round(WIDEST * width))
        margin = max(4, round(0.02 * height))
        tall, wide = min(drawn.shape[0], height), min(drawn.shape[1], width)
        top = max(0, height - margin - tall) if place.startswith("bottom") else min(margin, height - tall)
        left = max(0, width - margin - wide) if place.endswith("right") else min(margin, width - wide)
        self._where = slice(top, top + tall), slice(left, left + wide)
        colours, alpha = drawn[:tall, :wide, :3], drawn[:tall, :wide, 3:].repeat(3, 2)
        self._ink = np.asarray(cv2.multiply(colours, alpha, scale=1 / 255), np.uint8)
        self._rest = 255 - alpha

    def draw(self, picture: Picture) -> None:
        """Into the picture."""
        behind = cv2.multiply(np.ascontiguousarray(picture[self._where]), self._rest, scale=1 / 255)
        picture[self._where] = cv2.add(behind, self._ink)


def label(text: str, letters_px: int, widest_px: int) -> Picture:
    """(h, w, 4) RGBA: the text on its plate, in smaller letters where it would be too wide."""
    text = " ".join(text.split())
    font = ImageFont.load_default(letters_px)
    padding = max(3, letters_px // 3)
    wide = font.getlength(text) + 2 * padding
    if wide > widest_px:
        font = ImageFont.load_default(max(6.0, letters_px * (widest_px - 2 * padding) / (wide - 2 * padding)))
    left, top, right, bottom = font.getbbox(text)
    size = (round(right - left) + 2 * padding, round(bottom - top) + 2 * padding)
    picture = Image.new("RGBA", size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    pen.rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), padding, fill=PLATE)
    pen.text((padding - left, padding - top), text, font=font, fill=INK)
    return np.array(picture)
