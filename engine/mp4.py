"""An MP4 file, H.264 and, where it is wanted, AAC, that survives whatever ends the program.

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
from typing import Any

import av
import cv2
import numpy as np
from av.error import FFmpegError

from engine.errors import InputError
from engine.files import ffmpeg_name, reason, refuse_unwritable, replacing
from engine.resource import Resource
from engine.values import Floats, Picture

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
SOUND_BITS_PER_S = 128_000
COLOURS_BT601, RANGE_VIDEO = 6, 1  # smpte170m and limited range: what every player assumes or reads from the tag
YUV_BT601 = np.array(  # of RGB 0…255 and 1: luma 16…235, chroma 16…240 (ITU-R BT.601-7, 2.5.3)
    [
        [65.481 / 255, 128.553 / 255, 24.966 / 255, 16],
        [-37.797 / 255, -74.203 / 255, 112.0 / 255, 128],
        [112.0 / 255, -93.786 / 255, -18.214 / 255, 128],
    ]
)
LONGEST_NAME = 255  # bytes, on nearly every file system


class Mp4File(Resource):
    """``send`` appends a picture, at ``time_s`` or one frame time after the last; ``hear`` appends sound, which begins at time 0.
    ``close`` completes, ``discard`` removes.

    With sound, both must be fed in step: what is ahead of the other waits in the memory.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: Fraction | int, *, sound_hz: int | None = None) -> None:
        """``sound_hz``: samples per second of the sound; None = no sound. Raises InputError when it cannot be written."""
        refuse_path(path)
        self.name = str(path)
        self._path, self._unfinished = path, new_unfinished(path)
        self._step = round(TIME_BASE.denominator / Fraction(fps))
        self._last = -self._step
        self.frames = 0
        try:
            self._container: Any = av.open(ffmpeg_name(self._unfinished), "w", format="mp4", options=FRAGMENTS)
            self._stream = add_stream(self._container, size, Fraction(fps), reordered=sound_hz is None)
            self._sound = add_sound(self._container, sound_hz) if sound_hz is not None else None
        except BaseException as error:  # a signal's, too: nobody can discard yet what is not made
            with contextlib.suppress(OSError):
                self._unfinished.unlink(missing_ok=True)
            if isinstance(error, FFmpegError | OSError):
                raise InputError(f"{path} cannot be written ({reason(error)}).") from error
            raise
        self._heard = 0  # samples
        self._open = True

    def send(self, picture: Picture, time_s: float | None = None) -> None:
        """Raises InputError when no more can be written, as on a full disk; ``close`` keeps what was."""
        wanted = self._last + self._step if time_s is None else round(time_s * TIME_BASE.denominator)
        self._last = max(wanted, self._last + 1)
        frame = av.VideoFrame.from_ndarray(i420(picture), format="yuv420p")
        frame.pts, frame.time_base = self._last, TIME_BASE
        self._write(self._stream, frame)
        self.frames += 1

    def hear(self, samples: Floats) -> None:
        """Appends sound (N,), mono, −1…1; raises as ``send``."""
        if self._sound is None or not len(samples):
            return
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None], np.float32), format="fltp", layout="mono")
        frame.sample_rate = self._sound.rate
        frame.pts, frame.time_base = self._heard, Fraction(1, self._sound.rate)
        self._heard += len(samples)
        self._write(self._sound, frame)

    def size_bytes(self) -> int:
        """How large it is by now; 0 when that cannot be told."""
        try:
            return self._unfinished.stat().st_size
        except OSError:
            return 0

    def close(self) -> None:
        """Completes the file and gives it its name; a file without frames is removed."""
        if not self._open:
            return
        if self.frames == 0:
            self.discard()
            return
        self._open = False
        for stream in filter(None, (self._stream, self._sound)):
            with contextlib.suppress(FFmpegError, OSError):  # a full disk: the fragments before are whole
                self._container.mux(stream.encode(None))
        with contextlib.suppress(FFmpegError, OSError):
            self._container.close()
        try:
            finish(self._unfinished, self._path)
        except OSError as error:
            left = f"{self._unfinished} plays" if self._unfinished.exists() else "it was removed while it was written"
            raise InputError(f"{self.name} could not be completed ({reason(error)}); {left}.") from error

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

    def _write(self, stream: Any, frame: Any) -> None:
        try:
            self._container.mux(stream.encode(frame))
        except (FFmpegError, OSError) as error:
            raise InputError(f"{self.name} cannot be written further ({reason(error)}); it ends here.") from error


def i420(picture: Picture) -> Picture:
    """(H, W, 3) RGB of even sizes → (3/2 H, W): Y, then U and V, both of half the width and height; BT.601 in limited range.

    U and V are those of the mean of four pixels. OpenCV's own are those of one of the four, which flickers at edges of colour.
    """
    height, width = picture.shape[:2]
    planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), np.uint8)
    halved = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    yuv = cv2.transform(halved, YUV_BT601)
    for channel, plane in enumerate(planes[height:].reshape(2, height // 2, width // 2), start=1):
        cv2.extractChannel(yuv, channel, plane)
    return planes


def refuse_path(path: Path) -> None:
    """Raises InputError unless an MP4 file can be written there."""
    if path.suffix.lower() != ".mp4":
        raise InputError(f"{path} must end in .mp4, got {path.suffix or 'no ending'}.")
    refuse_unwritable(path)


def new_unfinished(path: Path) -> Path:
    """An empty file with a name of its own beside ``path``: neither a file of a program that was killed nor one that another
    program is writing is overwritten. Raises InputError."""
    for number in itertools.count(1):
        ending = f".unfinished{'' if number == 1 else f'-{number}'}.mp4"
        stem = os.fsencode(path.stem)[: LONGEST_NAME - len(ending)].decode("utf-8", "ignore")
        free = path.with_name(stem + ending)
        try:
            free.touch(exist_ok=False)
        except FileExistsError:
            continue
        except OSError as error:
            raise InputError(f"{path} cannot be written ({reason(error)}).") from error
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
    """The same pictures and sound, still encoded, in an MP4 file with its index at the front; raises OSError."""
    with (
        av.open(ffmpeg_name(fragmented)) as before,
        av.open(ffmpeg_name(path), "w", format="mp4", options={"movflags": "+faststart"}) as after,
    ):
        copied = {stream.index: after.add_stream_from_template(stream) for stream in before.streams}
        for packet in before.demux():
            if packet.dts is not None:  # the empty one at the end
                packet.stream = copied[packet.stream.index]
                after.mux(packet)


def add_stream(container: Any, size: tuple[int, int], fps: Fraction, *, reordered: bool) -> Any:
    """A video stream of the first codec that this FFmpeg has. ``reordered``: whether pictures may be stored in another order,
    which makes it smaller, but lets the picture begin later than the sound."""
    name = next(name for name in CODECS if name in av.codecs_available)
    stream = container.add_stream(name, rate=fps.limit_denominator(1001), options=CODECS[name])
    stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
    stream.codec_context.time_base = TIME_BASE
    if not reordered:
        stream.codec_context.max_b_frames = 0
    stream.codec_context.colorspace, stream.codec_context.color_range = COLOURS_BT601, RANGE_VIDEO
    return stream


def add_sound(container: Any, rate_hz: int) -> Any:
    """A stream of mono sound."""
    return container.add_stream("aac", rate=rate_hz, layout="mono", bit_rate=SOUND_BITS_PER_S)
