"""Reading videos: every frame once, in order, as a player shows it, in RGB. The only module that opens them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, TypeAlias

import av
import numpy as np
from av.error import FFmpegError
from av.stream import Disposition
from av.video.reformatter import VideoReformatter

from engine.errors import InputError
from engine.files import ffmpeg_name, reason, refuse_absent
from engine.values import Picture
from engine.video_frame import shown

VideoPacket: TypeAlias = "av.Packet[av.VideoStream]"

USUAL_FPS = Fraction(30)
PLAUSIBLE_FPS = Fraction(1, 10), Fraction(1000)  # files with others are wrong about it
SHORTEST_S = 0.001  # between two frames
LARGEST_GAP_S = 3600.0  # a longer one between two frames is a mistake of the file
LARGEST_JUMP_S = 10.0  # likewise in a format whose clock may be set anew
STUBBORN = 64  # failures in a row after which nothing more is expected of a file


@dataclass(frozen=True)
class Frame:
    """One picture of a camera or video: ``image`` RGB uint8 (H, W, 3), captured at ``time_s`` (monotonic or media time)."""

    image: Picture
    time_s: float


@dataclass(frozen=True)
class VideoInfo:
    """Width and height as shown; ``fps`` and ``frames`` as the container says, ``frames`` an estimate, 0 when unknown."""

    width_px: int
    height_px: int
    fps: Fraction
    frames: int


@dataclass
class VideoDamage:
    """What was found of a video while it was read.

    promised  frames, as the container counts them; 0 when it does not
    read      frames that were decoded
    faults    how often something could not be read or decoded, or was decoded with errors
    """

    promised: int = 0
    read: int = 0
    faults: int = 0

    def sentence(self, path: Path) -> str:
        """What the user should know; "" for a whole video."""
        missing = self.promised - self.read
        if not self.faults and missing <= 1:  # some encoders count one too many
            return ""
        count = f"{self.read} of {self.promised} frames were read" if self.promised else f"{self.read} frames were read"
        faults = "1 fault was" if self.faults == 1 else f"{self.faults} faults were"
        return f"The video {path} is damaged or cut off: {count}, and {faults} met."


def video_info(path: Path) -> VideoInfo:
    """Raises InputError unless the file holds a video of which at least one frame can be decoded."""
    height, width = next(read_frames(path)).image.shape[:2]
    with open_video(path) as (container, stream):
        fps = frames_per_second(stream)
        return VideoInfo(width, height, fps, stream.frames or round(seconds_of(container) * fps))


def length_s(path: Path) -> float:
    """How long a video lasts [s], as its head says; 0 where that is not said. Raises InputError."""
    with open_video(path) as (container, _):
        return seconds_of(container)


@contextlib.contextmanager
def open_video(path: Path) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    """A video and the stream that FFmpeg thinks the best; a cover picture is none.

    Raises InputError when the file is missing, empty, not a video or has no picture track.
    """
    refuse_no_file(path)
    try:
        container = av.open(ffmpeg_name(path), metadata_errors="replace")
    except (FFmpegError, ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read as a video ({reason(error)}).") from error
    with container:
        stream = container.streams.best("video")
        if not isinstance(stream, av.VideoStream) or stream.disposition & Disposition.attached_pic:
            raise InputError(f"{path} has no picture track; wanted a video.")
        if stream.codec_context is None:
            raise InputError(f"{path} is in a video format that cannot be decoded here; wanted H.264 or another usual one.")
        yield container, stream


def refuse_no_file(path: Path) -> None:
    """Raises InputError unless there is a file with something in it."""
    refuse_absent(path, "video")
    if not path.is_file():
        raise InputError(f"{path} is not a file; wanted a video.")
    if path.stat().st_size == 0:
        raise InputError(f"The video {path} is empty (0 bytes).")


def read_frames(
    path: Path,
    *,
    per_second: float | None = None,
    threads: Literal["AUTO", "SLICE", "FRAME", "NONE"] = "AUTO",
    damage: VideoDamage | None = None,
) -> Iterator[Frame]:
    """Every frame once, in order, as it is shown, RGB; ``time_s`` counts from the first frame and strictly rises.

    ``per_second``: at most so many. ``damage`` is completed while frames are read. Raises InputError when there is not a single
    frame; what else is damaged is left out.
    """
    damage = VideoDamage() if damage is None else damage
    due_s = 0.0
    with open_video(path) as (container, stream):
        stream.thread_type = threads
        step_s = 1 / float(frames_per_second(stream))
        damage.promised = promised_frames(container, stream)
        times, converter = Times(step_s, jumps="mpegts" in container.format.name), VideoReformatter()
        for picture in decoded(container, stream, damage):
            time_s = times.next(picture.time)
            if per_second is None or time_s >= due_s - step_s / 2:
                due_s = time_s if per_second is None else max(due_s + 1 / per_second, time_s)
                yield Frame(shown(picture, stream.sample_aspect_ratio or Fraction(1), converter), time_s)
    if not damage.read:
        raise InputError(f"{path} holds no frames that can be decoded; wanted a video with at least one.")


class Times:
    """Times that count from the first frame and strictly rise, whatever the file says."""

    def __init__(self, step_s: float, *, jumps: bool) -> None:
        """``step_s`` between frames without a time; ``jumps``: whether the file's clock may be set anew in between."""
        self._step_s, self._largest_s = step_s, LARGEST_JUMP_S if jumps else LARGEST_GAP_S
        self._offset_s: float | None = None
        self._last_s = -step_s

    def next(self, file_s: float | None) -> float:
        """The time of the next frame, which has the time ``file_s`` in the file, or none."""
        usual_s = self._last_s + self._step_s
        if file_s is None or not np.isfinite(file_s):
            time_s = usual_s
        else:
            if self._offset_s is None:
                self._offset_s = file_s - usual_s
            time_s = file_s - self._offset_s
            behind_s = self._last_s - time_s
            if behind_s > 1.0 or -behind_s > self._largest_s:  # less is two frames in the wrong order
                self._offset_s, time_s = file_s - usual_s, usual_s
        self._last_s = max(time_s, self._last_s + SHORTEST_S)
        return self._last_s


def decoded(container: av.container.InputContainer, stream: av.VideoStream, damage: VideoDamage) -> Iterator[av.VideoFrame]:
    """The decoder's frames; counts them, and faults."""
    for packet in packets(container, stream, damage):
        for frame in decode(packet, damage):
            damage.read += 1
            damage.faults += frame.is_corrupt
            yield frame


def packets(
    container: av.container.InputContainer, stream: av.VideoStream, damage: VideoDamage
) -> Iterator[av.Packet[av.VideoStream]]:
    """Everything that can be read; the last one, which is empty, makes the decoder give what it still holds."""
    failures = 0
    while failures < STUBBORN:
        try:
            for packet in container.demux(stream):
                failures = 0
                yield packet
            return
        except FFmpegError:
            failures += 1
            damage.faults += failures == 1


def decode(packet: VideoPacket, damage: VideoDamage) -> list[av.VideoFrame]:
    """The frames that a packet completes; none when it is damaged. The decoder may fail on a packet more than once."""
    failures = 0
    last = packet.size == 0  # the decoder is emptied: until that ends, it may be asked again
    while failures < (STUBBORN if last else 1):
        try:
            return [frame for frame in packet.decode() if isinstance(frame, av.VideoFrame)]
        except av.error.EOFError:
            break
        except FFmpegError:
            failures += 1
            damage.faults += 1
    return []


def promised_frames(container: av.container.InputContainer, stream: av.VideoStream) -> int:
    """The container's count; 0 when it does not count. An MP4's edit list may hide frames: then as many as its length allows."""
    length = round(seconds_of(container) * (stream.average_rate or 0)) if "mov" in container.format.name else 0
    return min(stream.frames, length) if length else stream.frames


def frames_per_second(stream: av.VideoStream) -> Fraction:
    """What the container says, if that can be."""
    low, high = PLAUSIBLE_FPS
    rates = (stream.average_rate, stream.guessed_rate, USUAL_FPS)
    return next(Fraction(rate) for rate in rates if rate and low <= rate <= high)


def seconds_of(container: av.container.InputContainer) -> float:
    """The length [s]; 0 when it is not known."""
    return max(0.0, container.duration / av.time_base) if container.duration else 0.0
