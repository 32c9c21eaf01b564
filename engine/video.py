"""Reading videos: every frame once, in order, upright, in RGB."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError

from engine.errors import InputError
from engine.values import Picture

USUAL_FPS = Fraction(30)


@dataclass(frozen=True)
class Frame:
    """One picture of a camera or video: ``image`` RGB uint8 (H, W, 3), captured at ``time_s`` (monotonic or media time)."""

    image: Picture
    time_s: float


@dataclass(frozen=True)
class VideoInfo:
    """What the container says; ``frames`` is an estimate, 0 when unknown."""

    width_px: int
    height_px: int
    fps: Fraction
    frames: int


def video_info(path: Path) -> VideoInfo:
    """Raises InputError unless the file holds a video of which at least one frame can be decoded."""
    for _ in read_frames(path):
        break
    else:
        raise InputError(f"{path} holds no frames; wanted a video with at least one.")
    with open_video(path) as container:
        stream = container.streams.video[0]
        fps = stream.average_rate or stream.guessed_rate or USUAL_FPS
        seconds = container.duration / av.time_base if container.duration else 0.0
        return VideoInfo(stream.width, stream.height, Fraction(fps), stream.frames or round(seconds * fps))


def open_video(path: Path) -> av.container.InputContainer:
    """Raises InputError when the file is missing, empty, not a video or has no picture track."""
    if not path.exists():
        raise InputError(f"The video {path} does not exist.")
    if not path.is_file():
        raise InputError(f"{path} is not a file; wanted a video.")
    if path.stat().st_size == 0:
        raise InputError(f"The video {path} is empty (0 bytes).")
    try:
        container = av.open(str(path))
    except (FFmpegError, ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read as a video ({error}).") from error
    if not container.streams.video:
        container.close()
        raise InputError(f"{path} has no picture track; wanted a video.")
    return container


def read_frames(path: Path) -> Iterator[Frame]:
    """Every frame once, in order, upright, RGB; ``time_s`` counts from the first frame and strictly rises.

    Raises InputError at the start; a file that is damaged further on ends with its last good frame.
    """
    with open_video(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        step_s = 1 / float(stream.average_rate or USUAL_FPS)
        first_s, last_s = None, -step_s
        for picture in good_frames(container):
            time_s = picture.time if picture.time is not None else (first_s or 0.0) + last_s + step_s
            first_s = time_s if first_s is None else first_s
            last_s = max(time_s - first_s, last_s + 0.001)
            yield Frame(upright(picture), last_s)


def good_frames(container: av.container.InputContainer) -> Iterator[av.VideoFrame]:
    """The decoder's frames up to the first damage."""
    with contextlib.suppress(FFmpegError):
        yield from container.decode(video=0)


def upright(picture: av.VideoFrame) -> Picture:
    """RGB (H, W, 3) with the container's rotation applied (telephones record lying on the side)."""
    image = np.asarray(picture.to_ndarray(format="rgb24"), np.uint8)
    turns = round(picture.rotation / 90) % 4  # anticlockwise
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image
