"""Opening the sinks that a setting names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.errors import DeviceError
from vcam.config import OutputSettings, PreviewSettings
from vcam.messages import Messages
from vcam.seams import Clock, Sink
from vcam.sinks.reopening import ReopeningSink

RETRY_S = 5.0


def open_virtual(settings: OutputSettings) -> Sink:
    """The virtual camera; raises DeviceError."""
    from vcam.sinks.virtual import VirtualCamera

    return VirtualCamera((settings.width_px, settings.height_px), settings.fps, settings.camera_name)


def open_preview(
    settings: PreviewSettings, state: Callable[[], dict[str, Any]], recalibrate: Callable[[], None], messages: Messages
) -> Sink:
    """The preview page, its address told to the user; raises DeviceError."""
    from vcam.sinks.preview import PreviewPage

    page = PreviewPage(settings.port, settings.jpeg_quality, state, recalibrate)
    messages.say(f"Preview: {page.address}")
    return page


def open_file(settings: OutputSettings) -> Sink:
    """The MP4 file that "file:NAME" names; raises InputError."""
    from vcam.sinks.mp4 import Mp4File

    path = Path(settings.sink.removeprefix("file:")).expanduser()
    return Mp4File(path, (settings.width_px, settings.height_px), settings.fps)


def open_first(settings: OutputSettings, *, clock: Clock, messages: Messages) -> list[Sink]:
    """What must get pictures at once: the virtual camera, or the file. In "auto" a missing camera is told and waited for."""
    if settings.sink.startswith("file:"):
        return [open_file(settings)]
    if settings.sink == "preview":
        return []
    opened: Sink | None = None
    try:
        opened = open_virtual(settings)
        messages.say(f"Sending to the virtual camera {opened.name}.")
    except DeviceError as error:
        if settings.sink == "virtual":
            raise
        messages.say(f"Showing the preview page only. {error}")
    return [ReopeningSink(lambda: open_virtual(settings), opened, clock=clock, messages=messages, retry_s=RETRY_S)]


def wants_preview(settings: OutputSettings) -> bool:
    return settings.sink in ("auto", "preview")
