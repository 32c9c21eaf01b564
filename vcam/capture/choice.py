"""Which camera a setting means: "auto", a number, or a video file."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError
from vcam.capture.webcam import usable_cameras

DEMO_SENTENCE = (
    "No webcam was found: the bundled demo drive moves the avatar. "
    "Plug in a webcam and start again, or name a video: --camera FILE."
)


@dataclass(frozen=True)
class Choice:
    """Exactly one of: the number of a webcam, a video file, or neither (the demo drive)."""

    webcam: int | None = None
    video: Path | None = None


def choose(source: str, own_name: str) -> Choice:
    """Raises InputError when ``source`` names a video that does not exist; ``own_name`` is our virtual camera's."""
    if source == "auto":
        cameras = usable_cameras(own_name)
        return Choice(webcam=cameras[0] if cameras else None)
    if source.isdecimal():
        return Choice(webcam=int(source))
    path = Path(source).expanduser()
    if not path.exists():
        raise InputError(
            f"There is no camera or video {source!r}; wanted 'auto', a video file, or a camera's number "
            "('hifihead devices' lists them)."
        )
    return Choice(video=path)


class NoCamera:
    """Paces the demo drive: it never has a frame, ``take`` only lets the time pass."""

    def __init__(self) -> None:
        self._closed = threading.Event()

    def start(self) -> NoCamera:
        return self

    def take(self, timeout_s: float) -> None:
        self._closed.wait(timeout_s)

    def rest(self) -> None:
        """There is no device."""

    def wake(self) -> None:
        """There is no device."""

    def close(self) -> None:
        self._closed.set()
