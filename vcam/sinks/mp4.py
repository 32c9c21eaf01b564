"""Pictures into an MP4 file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.files import refuse_overwriting, user_path
from engine.mp4 import Mp4File

if TYPE_CHECKING:
    from vcam.build import Builder


def open_sink(builder: Builder, session: object, argument: str, *, required: bool) -> FileSink:
    """The file ``argument``; raises InputError when it cannot be written."""
    del session, required
    output, path = builder.settings.output, user_path(argument)
    refuse_overwriting(path, user_path(builder.settings.camera.source))
    return FileSink(path, (output.width_px, output.height_px), output.fps)


class FileSink(Mp4File):
    """An ``Mp4File`` without the card before the avatar."""

    placeholders = False

    def watched(self) -> bool:
        return True  # each picture is kept
