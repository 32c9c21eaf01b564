"""An MP4 file, H.264, that survives whatever ends the program.

While it is written it has a name of its own beside the wanted one, "NAME.unfinished.mp4", and consists of fragments of half a
second: of a program that is killed, or a machine that loses its power, a file remains that plays up to the last of them. At the
end it becomes an ordinary MP4 file, with its index at the front, under the wanted name.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import av
from av.error import FFmpegError

from engine.errors import InputError
from engine.files import ffmpeg_name, reason, refuse_unwritable, replacing, user_path
from engine.resource import Resource
from engine.values import Picture

if TYPE_CHECKING:
    from vcam.build import Builder

CODECS: dict[str, dict[str, str]] = {
    "libx264": {"preset": "veryfast", "crf": "18"},
    "mpeg4": {"q:v": "3"},  # where FFmpeg comes without x264
}
FRAGMENTS = {
    "movflags": "+frag_keyframe+empty_moov+default_base_moof",
    "frag_duration": "500000",  # µs
    "flush_packets": "1",  # a fragment leaves the program as soon as it is whole
}
TIME_BASE = Fraction(1, 90_000)
COLOURS_BT601, RANGE_VIDEO = 6, 1  # smpte170m and limited range: what every player assumes or reads from the tag
LONGEST_NAME = 255  # bytes, on nearly every file system


def open_sink(builder: Builder, session: object, argument: str, *, required: bool) -> Mp4File:
    """The file ``argument``; raises InputError when it cannot be written."""
    del session, required
    output = builder.settings.output
    return Mp4File(user_path(argument), (output.width_px, output.height_px), output.fps)


class Mp4File(Resource):
    """``send`` appends a picture, at ``time_s`` or one frame time after the last. ``close`` completes, ``discard`` removes."""

    placeholders = False

    def __init__(self, path: Path, size: tuple[int, int], fps: Fraction | int) -> None:
        refuse_path(path)
        self.name = str(path)
        self._path, self._unfinished = path, unfinished_name(path)
        self._step = round(TIME_BASE.denominator / Fraction(fps))
        self._last = -self._step
        self.frames = 0
        try:
            self._container: Any = av.open(ffmpeg_name(self._unfinished), "w", format="mp4", options=FRAGMENTS)
        except (FFmpegError, OSError) as error:
            raise InputError(f"{path} cannot be written ({reason(error)}).") from error
        self._stream = add_stream(self._container, size, Fraction(fps))
        self._open = True

    def send(self, picture: Picture, time_s: float | None = None) -> None:
        """Raises InputError when no more can be written, as on a full disk; ``close`` keeps what was."""
        wanted = self._last + self._step if time_s is None else round(time_s * TIME_BASE.denominator)
        self._last = max(wanted, self._last + 1)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p", dst_colorspace="ITU601")
        frame.pts, frame.time_base = self._last, TIME_BASE
        try:
            self._container.mux(self._stream.encode(frame))
        except (FFmpegError, OSError) as error:
            raise InputError(f"{self.name} cannot be written further ({reason(error)}); it ends here.") from error
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
        with contextlib.suppress(FFmpegError, OSError):  # a full disk: the fragments before are whole
            self._container.mux(self._stream.encode(None))
        with contextlib.suppress(FFmpegError, OSError):
            self._container.close()
        try:
            finish(self._unfinished, self._path)
        except OSError as error:
            raise InputError(f"{self.name} could not be completed ({reason(error)}); {self._unfinished} plays.") from error

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
            self._unfinished.unlink(missing_ok=True)


def refuse_path(path: Path) -> None:
    """Raises InputError unless an MP4 file can be written there."""
    if path.suffix.lower() != ".mp4":
        raise InputError(f"{path} must end in .mp4, got {path.suffix or 'no ending'}.")
    refuse_unwritable(path)


def unfinished_name(path: Path) -> Path:
    """A free name beside ``path``; a file of a program that was killed is not overwritten."""
    for number in itertools.count(1):
        ending = f".unfinished{'' if number == 1 else f'-{number}'}.mp4"
        stem = os.fsencode(path.stem)[: LONGEST_NAME - len(ending)].decode("utf-8", "ignore")
        free = path.with_name(stem + ending)
        if not free.exists():
            return free
    raise AssertionError("there is always a next number")


def finish(fragmented: Path, path: Path) -> None:
    """Makes an ordinary file of a fragmented one. When that fails, as without room for both, the fragmented one gets the name.

    Raises OSError.
    """
    try:
        with replacing(path) as partial:
            copy_packets(fragmented, partial)
    except (FFmpegError, InputError):
        fragmented.replace(path)
    else:
        fragmented.unlink()


def copy_packets(fragmented: Path, path: Path) -> None:
    """The same pictures, still encoded, in an MP4 file with its index at the front; raises OSError."""
    with (
        av.open(ffmpeg_name(fragmented)) as before,
        av.open(ffmpeg_name(path), "w", format="mp4", options={"movflags": "+faststart"}) as after,
    ):
        stream = before.streams.video[0]
        copied = after.add_stream_from_template(stream)
        for packet in before.demux(stream):
            if packet.dts is not None:  # the empty one at the end
                packet.stream = copied
                after.mux(packet)


def add_stream(container: Any, size: tuple[int, int], fps: Fraction) -> Any:
    """A video stream of the first codec that this FFmpeg has."""
    name = next(name for name in CODECS if name in av.codecs_available)
    stream = container.add_stream(name, rate=fps.limit_denominator(1001), options=CODECS[name])
    stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
    stream.codec_context.time_base = TIME_BASE
    stream.codec_context.colorspace, stream.codec_context.color_range = COLOURS_BT601, RANGE_VIDEO
    return stream
