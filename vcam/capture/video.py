"""Video files: every frame in order for ``render``, or paced by the file's own clock and looped, like a webcam, for ``run``."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError

from engine.errors import InputError
from engine.values import Frame, Picture
from vcam.messages import Messages
from vcam.seams import Clock
from vcam.slot import Slot
from vcam.stats import Stats

USUAL_FPS = Fraction(30)


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


class VideoCamera:
    """A video file as a webcam: frames appear when their time has come, late ones are dropped, the end joins the start."""

    def __init__(self, path: Path, *, clock: Clock, messages: Messages, stats: Stats) -> None:
        self._info = video_info(path)
        self._path, self._clock, self._messages, self._stats = path, clock, messages, stats
        self._slot: Slot[Frame] = Slot()
        self._stop = threading.Event()
        self._awake = threading.Event()
        self._awake.set()
        self._thread = threading.Thread(target=self._play, name="video", daemon=True)

    def start(self) -> VideoCamera:
        self._thread.start()
        return self

    def take(self, timeout_s: float) -> Frame | None:
        return self._slot.take(timeout_s)

    def rest(self) -> None:
        """Halts the film."""
        self._awake.clear()

    def wake(self) -> None:
        """Goes on where it was."""
        self._awake.set()

    def close(self) -> None:
        self._stop.set()
        self._awake.set()
        self._slot.close()
        if self._thread.is_alive():
            self._thread.join(timeout=3.0)

    def _play(self) -> None:
        while not self._stop.is_set():
            if not self._messages.attempt("camera", "Reading the video", lambda: self.play_once(self._slot.put)):
                self._stop.wait(1.0)

    def play_once(self, deliver: Callable[[Frame], None]) -> bool:
        """The whole file, each frame delivered at its time; ``time_s`` becomes the clock's. True at the end."""
        start_s = self._clock.now()
        last_s = 0.0
        frames = read_frames(self._path)
        while not self._stop.is_set():
            with self._stats.measure("capture"):
                frame = next(frames, None)
            if frame is None:
                break
            last_s = frame.time_s
            start_s += self._rested_s()
            self._clock.wait_until(start_s + last_s)
            deliver(Frame(frame.image, start_s + last_s))
        self._clock.wait_until(start_s + last_s + 1 / float(self._info.fps))
        return True

    def _rested_s(self) -> float:
        """Waits while the film is halted; for how long that was."""
        if self._awake.is_set():
            return 0.0
        begin_s = self._clock.now()
        self._awake.wait()
        return self._clock.now() - begin_s
