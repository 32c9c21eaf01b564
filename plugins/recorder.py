"""Records what is sent, with the microphone's sound, to MP4 files."""

from __future__ import annotations

import contextlib
import math
import os
import platform
import queue
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path

import platformdirs
from pydantic import Field

from engine.content_credentials import ContentSigner
from engine.errors import InputError
from engine.files import reason, refuse_unwritable
from engine.mp4_recording import VideoRecording
from engine.resource import Resource
from engine.values import Floats, Picture
from vcam.plugins import SOUND_RATE_HZ, PluginContext, PluginSettings

WAITING_PICTURES, WAITING_BLOCKS = 16, 1000  # half a second and ten; more are left out
LOOK_S = 1.0  # how often latency and size are looked at
TELL_S = 10.0  # how often it is told that pictures are left out
NICENESS = 10  # of the thread that encodes, on Linux: the camera goes first
FILE_NAME = r'[^\x00-\x1f<>:"/\\|?*.][^\x00-\x1f<>:"/\\|?*]{0,79}'  # what every system takes

Say = Callable[[str], None]


class RecorderSettings(PluginSettings):
    """[plugins.recorder]"""

    save_in: str = Field("", description='a folder; relative paths start at the settings file; "" = your folder of videos')
    name: str = Field("hifihead", pattern=f"^{FILE_NAME}$", description="what their names begin with; date and time follow")
    sound: bool = Field(True, description="whether the microphone is recorded as well")
    part_minutes: int = Field(30, ge=0, le=1440, description="minutes after which a new file begins; 0 = never")
    part_mb: int = Field(1000, ge=0, le=1_000_000, description="megabytes after which a new file begins; 0 = never")
    certificate: str = Field("", description='PEM file with certificates, to sign recordings (C2PA); "" = they are not signed')
    key: str = Field("", description="PEM file with the certificate's private key, without a password")


class RecorderPlugin:
    """Records what is sent, with the microphone's sound, as long as it is on."""

    order = 100

    Settings = RecorderSettings

    def __init__(self) -> None:
        self._writer: Writer | None = None

    def start(self, context: PluginContext[RecorderSettings]) -> None:
        settings = context.settings
        paths = RecordingPaths(recordings_folder(context), settings.name)
        refuse_unwritable(paths.next())
        signer = content_signer(context)
        if not settings.sound:
            self.on_audio = None  # type: ignore[assignment,method-assign]
        recording = VideoRecording(
            paths.next,
            context.size,
            context.fps,
            sound_hz=SOUND_RATE_HZ if settings.sound else None,
            part_s=60.0 * settings.part_minutes,
            part_bytes=1_000_000 * settings.part_mb,
            say=context.say,
            completed=signer.sign if signer else lambda _path: None,
        )
        self._writer = Writer(recording, context.say, lambda: (context.controls.snapshot().latency_ms or 0.0) / 1000)

    def on_sent(self, picture: Picture, time: float) -> None:
        if self._writer is not None:
            self._writer.picture(picture, time)

    def on_audio(self, block: Floats, time: float) -> None:
        if self._writer is not None:
            self._writer.sound(block, time)

    def stop(self) -> None:
        if self._writer is not None:
            self._writer.close()


class Writer(Resource):
    """A thread that writes a recording: whoever hands over a picture never waits."""

    def __init__(self, recording: VideoRecording, say: Say, latency_s: Callable[[], float]) -> None:
        self._recording, self._say, self._latency_s = recording, say, latency_s
        self._waiting: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._rooms = threading.Semaphore(WAITING_PICTURES), threading.Semaphore(WAITING_BLOCKS)
        self._error: Exception | None = None
        self._left_out = self._told = 0  # pictures
        self._looked_s = self._told_s = -math.inf
        self._thread = threading.Thread(target=self._run, name="recorder")
        self._thread.start()

    def picture(self, picture: Picture, time_s: float) -> None:
        """Raises what ended the recording."""
        if self._error is not None:
            raise self._error
        if time_s - self._looked_s > LOOK_S:
            self._looked_s, latency_s = time_s, self._latency_s()
            self._waiting.put(partial(self._recording.look, latency_s))
        if not self._hand_over(self._rooms[0], partial(self._recording.picture, picture, time_s)):
            self._left_out += 1
        if self._left_out > self._told and time_s - self._told_s > TELL_S:
            self._tell_left_out()
            self._told_s = time_s

    def sound(self, block: Floats, time_s: float) -> None:
        """Of sound that comes too fast the newest is left out, and becomes silence."""
        self._hand_over(self._rooms[1], partial(self._recording.sound, block, time_s))

    def close(self) -> None:
        """Writes what waits, and completes the last file."""
        self._waiting.put(None)
        self._thread.join()
        if self._left_out > self._told:
            self._tell_left_out()

    def _hand_over(self, room: threading.Semaphore, work: Callable[[], None]) -> bool:
        if not room.acquire(blocking=False):
            return False

        def done() -> None:
            try:
                work()
            finally:
                room.release()

        self._waiting.put(done)
        return True

    def _run(self) -> None:
        if platform.system() == "Linux":
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        with self._recording:
            while (work := self._waiting.get()) is not None:
                if self._error is None:
                    try:
                        work()
                    except Exception as error:  # noqa: BLE001 — whoever hands over the next picture is told
                        self._error = error

    def _tell_left_out(self) -> None:
        self._told = self._left_out
        count = "1 picture was" if self._told == 1 else f"{self._told} pictures were"
        self._say(f"{count} not recorded so far: the machine, or the disk, is too slow.")


class RecordingPaths:
    """The names of a recording's files: hifihead-2026-11-26-183000.mp4, then …-2.mp4."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._stem = folder, f"{name}-{datetime.now():%Y-%m-%d-%H%M%S}"

    def next(self) -> Path:
        """The first that is free."""
        for number in count(1):
            path = self._folder / f"{self._stem}{'' if number == 1 else f'-{number}'}.mp4"
            if not path.exists():
                return path
        raise AssertionError("there is always a next number")


def content_signer(context: PluginContext[RecorderSettings]) -> ContentSigner | None:
    """What signs recordings, where the settings name a certificate; raises InputError."""
    certificate, key = context.settings.certificate, context.settings.key
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise InputError("Signing needs both plugins.recorder.certificate and plugins.recorder.key; one of them is empty.")
    return ContentSigner(context.path(certificate), context.path(key))


def recordings_folder(context: PluginContext[RecorderSettings]) -> Path:
    """The one that the settings name, or the user's own, which is made where it is missing. Raises InputError."""
    if context.settings.save_in:
        return context.path(context.settings.save_in)
    try:
        folder = platformdirs.user_videos_path()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError, KeyError) as error:
        raise InputError(
            f"Your folder of videos cannot be used ({reason(error)}). Name another one as plugins.recorder.save_in."
        ) from error
    return folder
