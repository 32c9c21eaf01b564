"""A video file as a webcam: paced by the file's own clock, and looped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from engine.resource import Resource
from engine.video import Frame, VideoDamage, read_frames, video_info
from vcam.interfaces import Clock
from vcam.messages import Messages
from vcam.pipeline.slot import Slot
from vcam.stats import Stats


class VideoCamera(Resource):
    """A video file as a webcam: frames appear when their time has come, late ones are dropped, the end joins the start."""

    def __init__(self, path: Path, *, clock: Clock, messages: Messages, stats: Stats) -> None:
        self._info = video_info(path)
        self._path, self._clock, self._messages, self._stats = path, clock, messages, stats
        self._slot: Slot[Frame] = Slot()
        self._told = False
        self._stop = threading.Event()
        self._awake = threading.Event()
        self._awake.set()
        self._thread = threading.Thread(target=self._play, name="video")

    def start(self) -> None:
        self._thread.start()

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
        damage = VideoDamage()
        frames = read_frames(self._path, damage=damage)
        while not self._stop.is_set():
            with self._stats.measure("capture"):
                frame = next(frames, None)
            if frame is None:
                self._tell(damage.sentence(self._path))
                break
            last_s = frame.time_s
            start_s += self._rested_s()
            self._clock.wait_until(start_s + last_s)
            deliver(Frame(frame.image, start_s + last_s))
        self._clock.wait_until(start_s + last_s + 1 / float(self._info.fps))
        return True

    def _tell(self, sentence: str) -> None:
        """Says what is wrong with the video, not again at every turn."""
        if sentence and not self._told:
            self._told = True
            self._messages.say(sentence)

    def _rested_s(self) -> float:
        """Waits while the film is halted; for how long that was."""
        if self._awake.is_set():
            return 0.0
        begin_s = self._clock.now()
        self._awake.wait()
        return self._clock.now() - begin_s
