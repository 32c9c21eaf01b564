"""Pictures and sound, recorded by their times to MP4 files, one after the other."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from engine.errors import HifiHeadError
from engine.mp4 import Mp4File
from engine.resource import Resource
from engine.sound_track import SoundTrack
from engine.values import Floats, Picture

WAIT_FOR_SOUND_S = 1.0  # at the beginning; and a picture's sound comes at most so much later than the picture


class VideoRecording(Resource):
    """Pictures and sound, by their times, in one file after the other. Belongs to one thread."""

    def __init__(
        self,
        next_path: Callable[[], Path],
        size: tuple[int, int],
        fps: int,
        *,
        sound_hz: int | None,
        say: Callable[[str], None],
        part_s: float = 0.0,
        part_bytes: int = 0,
        completed: Callable[[Path], None] = lambda _path: None,
    ) -> None:
        """``sound_hz``: samples per second of the sound; None = none is wanted. ``part_s``, ``part_bytes``: after which a new
        file begins; 0 = never. ``completed``: what is done to each complete file; may raise HifiHeadError."""
        self._next_path, self._size, self._fps, self._say = next_path, size, fps, say
        self._part_s, self._part_bytes = part_s or math.inf, part_bytes or math.inf
        self._sound_hz, self._heard_s, self._latency_s = sound_hz, -math.inf, 0.0
        self._begin_s: float | None = None  # when the first part begins, whether sound is heard or not
        self._track: SoundTrack | None = None
        self._held = np.empty(0, np.float32)  # the end of the track, whose pictures are still to come
        self._part: Mp4File | None = None
        self._part_start_s, self._full = 0.0, False
        self._former: Mp4File | None = None  # the part before, whose last sound is still to come
        self._completed = completed
        self._completing = ThreadPoolExecutor(1, "recorder end")

    def look(self, latency_s: float) -> None:
        """Now and then: ``latency_s`` from the capture of the driver's face to the sending of the picture that it makes."""
        self._latency_s = latency_s
        self._full = self._part is not None and self._part.size_bytes() >= self._part_bytes

    def picture(self, picture: Picture, time_s: float) -> None:
        """One that is sent at this time; raises InputError when it cannot be written."""
        if self._begin_s is None:
            self._begin_s = time_s + (0.0 if self._sound_hz is None else WAIT_FOR_SOUND_S)
        if self._part is None and self._heard_s == -math.inf and time_s < self._begin_s:
            return
        if self._part is None or self._full or time_s - self._part_start_s >= self._part_s:
            self._begin_part(time_s)
        assert self._part is not None  # noqa: S101 — begun
        self._part.send(picture, time_s - self._part_start_s)
        if self._track is not None:
            self._held = np.concatenate([self._held, self._track.fill(time_s - WAIT_FOR_SOUND_S)])
            self._append_sound(time_s)

    def sound(self, block: Floats, time_s: float) -> None:
        """Sound that was heard at this time; it belongs to the picture that the driver made then."""
        self._heard_s = time_s
        if self._track is not None:
            self._held = np.concatenate([self._held, self._track.add(block, time_s + self._latency_s)])

    def close(self) -> None:
        """Completes all files."""
        for part in filter(None, (self._former, self._part)):
            self._completing.submit(self._complete, part)
        self._former = self._part = None
        self._completing.shutdown()

    def _begin_part(self, time_s: float) -> None:
        """Raises InputError."""
        if self._track is None and self._sound_hz is not None:
            self._track = SoundTrack(self._sound_hz, time_s)
        path, heard = self._next_path(), time_s - self._heard_s < WAIT_FOR_SOUND_S
        part = Mp4File(path, self._size, self._fps, sound_hz=self._sound_hz if heard else None)
        if self._track is not None and not heard:
            self._say(f"No sound is heard: {path.name} has the picture alone.")
        self._complete_former()
        self._former, self._part, self._part_start_s, self._full = self._part, part, time_s, False
        if self._track is None:
            self._complete_former()

    def _append_sound(self, time_s: float) -> None:
        """Sound up to this time goes to the files that it belongs to; raises InputError."""
        assert self._track is not None  # noqa: S101 — the samples are its
        first = self._track.length - len(self._held)
        boundary, due = (max(round(self._track.samples_until(until)) - first, 0) for until in (self._part_start_s, time_s))
        if self._former is not None:
            self._former.hear(self._held[:boundary])
            if boundary <= len(self._held):
                self._complete_former()
        if self._part is not None:
            self._part.hear(self._held[boundary:due])
        self._held = self._held[due:]

    def _complete_former(self) -> None:
        former, self._former = self._former, None
        if former is not None:
            self._completing.submit(self._complete, former)

    def _complete(self, part: Mp4File) -> None:
        try:
            part.close()
            self._completed(Path(part.name))
        except HifiHeadError as error:
            self._say(str(error))
        else:
            self._say(f"Recorded: {part.name}.")
