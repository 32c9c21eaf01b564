"""Frames of a video file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av

from engine.errors import InputError
from engine.values import Picture


def read_frames(path: Path) -> Iterator[tuple[Picture, float]]:
    """(H, W, 3) RGB pictures and their times [s]; raises InputError when the file is no video."""
    try:
        with av.open(str(path)) as container:
            for number, frame in enumerate(container.decode(video=0)):
                time_s = number / 25 if frame.time is None else float(frame.time)
                yield frame.to_ndarray(format="rgb24"), time_s
    except (OSError, av.FFmpegError, IndexError) as error:
        raise InputError(f"{path} must be a video; it cannot be read: {error}") from error
