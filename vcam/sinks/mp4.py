"""An MP4 file, H.264. It appears under its name only when it is complete; until then it has a temporary name beside it."""

from __future__ import annotations

import contextlib
import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import av
from av.error import FFmpegError

from engine.errors import InputError
from engine.resource import Resource
from engine.values import Picture

if TYPE_CHECKING:
    from vcam.build import Builder

CODECS: dict[str, dict[str, str]] = {
    "libx264": {"preset": "veryfast", "crf": "18"},
    "mpeg4": {"q:v": "3"},  # where FFmpeg comes without x264
}
TIME_BASE = Fraction(1, 90_000)
COLOURS_BT601, RANGE_VIDEO = 6, 1  # smpte170m and limited range: what every player assumes or reads from the tag


def open_sink(builder: Builder, session: object, argument: str, *, required: bool) -> Mp4File:
    """The file ``argument``; raises InputError when it cannot be written."""
    del session, required
    output = builder.settings.output
    return Mp4File(Path(argument).expanduser(), (output.width_px, output.height_px), output.fps)


class Mp4File(Resource):
    """``send`` appends a picture, at ``time_s`` or one frame time after the last. ``close`` completes, ``discard`` removes."""

    placeholders = False

    def __init__(self, path: Path, size: tuple[int, int], fps: Fraction | int) -> None:
        refuse_path(path)
        self.name = str(path)
        self._path, self._partial = path, path.with_name(f".{path.name}.{os.getpid()}.part")
        self._step = round(TIME_BASE.denominator / Fraction(fps))
        self._last = -self._step
        self.frames = 0
        try:
            self._container = av.open(str(self._partial), "w", format="mp4", options={"movflags": "+faststart"})
        except (FFmpegError, OSError) as error:
            raise InputError(f"{path} cannot be written ({error}).") from error
        self._stream = add_stream(self._container, size, Fraction(fps))
        self._open = True

    def send(self, picture: Picture, time_s: float | None = None) -> None:
        wanted = self._last + self._step if time_s is None else round(time_s * TIME_BASE.denominator)
        self._last = max(wanted, self._last + 1)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p", dst_colorspace="ITU601")
        frame.pts, frame.time_base = self._last, TIME_BASE
        try:
            self._container.mux(self._stream.encode(frame))
        except (FFmpegError, OSError) as error:
            raise InputError(f"{self.name} cannot be written further ({error}).") from error
        self.frames += 1

    def watched(self) -> bool:
        return True  # each picture is kept

    def close(self) -> None:
        """Completes the file and gives it its name; a file without frames is removed."""
        if not self._open:
            return
        if self.frames == 0:
            self.discard()
            return
        self._open = False
        try:
            self._container.mux(self._stream.encode(None))
            self._container.close()
            self._partial.replace(self._path)
        except (FFmpegError, OSError) as error:
            self._partial.unlink(missing_ok=True)
            raise InputError(f"{self.name} could not be completed ({error}).") from error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Completes the file, or removes it after an error."""
        if kind is None:
            self.close()
        else:
            self.discard()

    def discard(self) -> None:
        """Removes what was written; what stood under the name before stays."""
        if self._open:
            self._open = False
            with contextlib.suppress(FFmpegError, OSError, ValueError):
                self._container.close()
            self._partial.unlink(missing_ok=True)


def refuse_path(path: Path) -> None:
    """Raises InputError unless an MP4 file can be written there."""
    if path.suffix.lower() != ".mp4":
        raise InputError(f"{path} must end in .mp4, got {path.suffix or 'no ending'}.")
    if not path.parent.is_dir():
        raise InputError(f"{path} cannot be written: the folder {path.parent} does not exist.")
    if path.is_dir():
        raise InputError(f"{path} cannot be written: it is a folder.")


def add_stream(container: Any, size: tuple[int, int], fps: Fraction) -> Any:
    """A video stream of the first codec that this FFmpeg has."""
    name = next(name for name in CODECS if name in av.codecs_available)
    stream = container.add_stream(name, rate=fps.limit_denominator(1001), options=CODECS[name])
    stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
    stream.codec_context.time_base = TIME_BASE
    stream.codec_context.colorspace, stream.codec_context.color_range = COLOURS_BT601, RANGE_VIDEO
    return stream
