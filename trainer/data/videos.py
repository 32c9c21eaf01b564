"""Frames of video files, by the only module of the trainer that knows the decoder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError

from engine.errors import InputError
from engine.values import Picture
from engine.video import Frame

_USUAL_FPS = 30.0


def sampled_frames(path: Path, frames_per_second: float) -> Iterator[Frame]:
    """Upright RGB frames, at most so many a second, ``time_s`` from the first one on.

    Raises InputError when not a single frame can be read; a file that is damaged further on ends with its last good frame.
    """
    due_s, first_s, count = 0.0, None, 0
    with _open(path) as container:
        rate = float(container.streams.video[0].average_rate or _USUAL_FPS)
        container.streams.video[0].thread_type = "SLICE"  # one file a process: the other cores have files of their own
        for picture in _good_frames(container):
            time_s = picture.time if picture.time is not None else count / rate
            first_s = time_s if first_s is None else first_s
            count += 1
            if time_s - first_s >= due_s - 0.5 / rate:
                due_s = max(due_s + 1 / frames_per_second, time_s - first_s)
                yield Frame(_upright(picture), time_s - first_s)
    if not count:
        raise InputError(f"no frame of {path} can be decoded")


def length_s(path: Path) -> float:
    """How long a video lasts [s], as its head says; 0 where that is not said. Raises InputError."""
    with _open(path) as container:
        return (container.duration or 0) / av.time_base


def _open(path: Path) -> av.container.InputContainer:
    try:
        container = av.open(str(path))
    except (FFmpegError, ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read as a video ({error})") from error
    if not container.streams.video:
        container.close()
        raise InputError(f"{path} has no picture track")
    return container


def _good_frames(container: av.container.InputContainer) -> Iterator[av.VideoFrame]:
    with contextlib.suppress(FFmpegError):
        yield from container.decode(video=0)


def _upright(picture: av.VideoFrame) -> Picture:
    image = np.asarray(picture.to_ndarray(format="rgb24"), np.uint8)
    return np.ascontiguousarray(np.rot90(image, round(picture.rotation / 90) % 4))
