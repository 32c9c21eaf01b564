"""A video file that behaves like a webcam, tracked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vcam.cameras.video import VideoCamera
from vcam.sources.tracking import TrackedCamera

if TYPE_CHECKING:
    from vcam.build import Builder


def open_source(builder: Builder, argument: str) -> TrackedCamera:
    """The video file ``argument``; raises InputError unless a frame of it can be read."""
    path = Path(argument)
    camera = VideoCamera(path, clock=builder.clock, messages=builder.messages, stats=builder.stats)
    return builder.tracked(path.name, camera)
