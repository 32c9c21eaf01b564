"""Frames of video files, sampled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av

from engine.errors import InputError
from engine.video import USUAL_FPS, Frame, good_frames, open_video, upright


def sampled_frames(path: Path, frames_per_second: float) -> Iterator[Frame]:
    """Upright RGB frames, at most so many a second, ``time_s`` from the first one on.

    Raises InputError when not a single frame can be read; a file that is damaged further on ends with its last good frame.
    """
    due_s, first_s, count = 0.0, None, 0
    with open_video(path) as container:
        rate = float(container.streams.video[0].average_rate or USUAL_FPS)
        container.streams.video[0].thread_type = "SLICE"  # one file a process: the other cores have files of their own
        for picture in good_frames(container):
            time_s = picture.time if picture.time is not None else count / rate
            first_s = time_s if first_s is None else first_s
            count += 1
            if time_s - first_s >= due_s - 0.5 / rate:
                due_s = max(due_s + 1 / frames_per_second, time_s - first_s)
                yield Frame(upright(picture), time_s - first_s)
    if not count:
        raise InputError(f"no frame of {path} can be decoded")


def length_s(path: Path) -> float:
    """How long a video lasts [s], as its head says; 0 where that is not said. Raises InputError."""
    with open_video(path) as container:
        return (container.duration or 0) / av.time_base
