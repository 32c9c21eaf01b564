"""Another background behind the portrait: its own blurred, one colour, a picture or a video."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from pydantic import Field

from engine.errors import InputError
from engine.files import ffmpeg_name, refuse_absent
from engine.values import Picture
from vcam.plugins import Background, PluginContext, PluginSettings

GREEN = (0, 177, 64)  # of green screens, which chroma keys are set to
STRONGEST_BLUR = 1 / 20  # standard deviation, of the picture's width
HIGHEST_FPS = 30.0
NEARLY_S = 0.001  # a picture is shown that much before its time rather than late


class BackgroundSettings(PluginSettings):
    """[plugins.background]"""

    mode: Literal["keep", "blur", "colour", "picture", "video", "green"] = Field("blur", description="what is shown")
    strength: float = Field(0.4, ge=0.0, le=1.0, description='of "blur", 0…1')
    colour: str = Field("#e8e4dc", pattern=r"^#[0-9a-fA-F]{6}$", description='of "colour", #rrggbb')
    file: str = Field("", description='of "picture" and "video", a path; relative ones start at the settings file')
    light_wrap: float = Field(0.3, ge=0.0, le=1.0, description="how much of its light reaches around the edge, 0…1")


class BackgroundPlugin:
    """Blurs the portrait's background, or puts a colour, picture or video in its place."""

    order = 10
    budget_ms = 15.0

    Settings = BackgroundSettings

    def start(self, context: PluginContext[BackgroundSettings]) -> None:
        self._settings, self._size = context.settings, context.size
        self._video: LoopedVideo | None = None
        self._picture: Picture | None = None
        if context.settings.mode == "picture":
            self._picture = covering(read(self._file(context)), context.size)
        elif context.settings.mode == "video":
            self._video = LoopedVideo(self._file(context))

    def on_background(self, own: Picture, time: float) -> Background | None:
        settings, wrap = self._settings, self._settings.light_wrap
        if settings.mode == "keep":
            return None
        if self._video is not None:
            return Background(covering(self._video.at(time), self._size), wrap, for_s=1 / min(self._video.fps, HIGHEST_FPS))
        if self._picture is not None:
            return Background(self._picture, wrap)
        if settings.mode == "blur":
            return Background(blurred(own, settings.strength), 0.0)
        if settings.mode == "green":
            return Background(flat(own.shape, GREEN), 0.0)
        return Background(flat(own.shape, rgb(settings.colour)), wrap)

    def stop(self) -> None:
        if self._video is not None:
            self._video.close()

    def _file(self, context: PluginContext[BackgroundSettings]) -> Path:
        if not context.settings.file:
            raise InputError(f'plugins.background.file must name a {context.settings.mode}, got "".')
        path = context.path(context.settings.file)
        refuse_absent(path, context.settings.mode)
        return path


class LoopedVideo:
    """A video's pictures by time, again from its beginning when it ends."""

    def __init__(self, path: Path) -> None:
        """Raises InputError when it is no video."""
        import av  # here: most backgrounds are none
        from av.error import FFmpegError

        self._path = path
        try:
            self._container: Any = av.open(ffmpeg_name(path))
            self._stream = self._container.streams.video[0]
            self._frames = self._decoded()
            self._next_s, self._next = next(self._frames)
        except (FFmpegError, OSError, IndexError, StopIteration) as error:
            raise InputError(f"{path} cannot be shown as a background: it is no video ({error}).") from error
        self.fps = float(self._stream.average_rate or HIGHEST_FPS)
        self._shown = self._next
        self._start_s: float | None = None

    def at(self, time_s: float) -> Picture:
        """(H, W, 3) the picture of that moment; times only grow."""
        if self._start_s is None:
            self._start_s = time_s
        while self._start_s + self._next_s <= time_s + NEARLY_S:
            self._shown = self._next
            try:
                self._next_s, self._next = next(self._frames)
            except StopIteration:
                self._start_s = time_s
                self._container.seek(0)
                self._frames = self._decoded()
                self._next_s, self._next = next(self._frames)
                break
        return np.asarray(self._shown.to_ndarray(format="rgb24"), np.uint8)

    def close(self) -> None:
        self._container.close()

    def _decoded(self) -> Iterator[tuple[float, Any]]:
        first_s: float | None = None
        for frame in self._container.decode(self._stream):
            first_s = frame.time if first_s is None else first_s
            yield frame.time - first_s, frame


def read(path: Path) -> Picture:
    """(H, W, 3); raises InputError."""
    from engine.picture import read_picture  # here: it loads libraries for rare formats

    return read_picture(path)


def covering(picture: Picture, size: tuple[int, int]) -> Picture:
    """The middle of a picture, enlarged or reduced to fill width and height."""
    width, height = size
    if picture.shape[:2] == (height, width):
        return picture
    scale = max(width / picture.shape[1], height / picture.shape[0])
    interpolation = cv2.INTER_AREA if scale < 0.7 else cv2.INTER_LINEAR
    whole = (max(width, round(picture.shape[1] * scale)), max(height, round(picture.shape[0] * scale)))
    resized = cv2.resize(picture, whole, interpolation=interpolation)
    left, top = (whole[0] - width) // 2, (whole[1] - height) // 2
    return np.ascontiguousarray(resized[top : top + height, left : left + width], np.uint8)


def blurred(picture: Picture, strength: float) -> Picture:
    """Out of focus; strength 0…1."""
    sigma_px = max(0.3, strength**2 * STRONGEST_BLUR * picture.shape[1])
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE), np.uint8)


def flat(shape: tuple[int, ...], colour: tuple[int, int, int]) -> Picture:
    """A picture of one colour."""
    return np.full(shape, colour, np.uint8)


def rgb(text: str) -> tuple[int, int, int]:
    """#rrggbb → (r, g, b)."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
