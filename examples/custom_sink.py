"""Sends pictures somewhere else: here into a folder, one PNG file per picture.

python examples/custom_sink.py pictures 30
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from engine.errors import InputError
from engine.values import Picture
from vcam.build import Builder
from vcam.config import CameraSettings, OutputSettings, Settings
from vcam.session import Session
from vcam.signals import ending
from vcam.sinks import SINKS, SinkKind


class PictureFolder:
    """A sink: ``send`` gets every picture, (height, width, 3) RGB; ``watched`` says whether anybody takes them."""

    placeholders = False  # the card before the avatar is ready is not wanted

    def __init__(self, folder: Path) -> None:
        self.name, self._folder, self._number = str(folder), folder, 0

    def send(self, picture: Picture) -> None:
        Image.fromarray(picture).save(self._folder / f"{self._number:04}.png")
        self._number += 1

    def watched(self) -> bool:
        return True  # each picture is kept

    def close(self) -> None:
        """Every file is complete."""


def open_sink(builder: Builder, session: Session, argument: str, *, required: bool) -> PictureFolder:
    """What ``SINKS`` calls; ``argument`` follows the colon of the setting."""
    del builder, session, required
    folder = Path(argument)
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    return PictureFolder(folder)


SINKS["folder"] = SinkKind(__name__, "PNG files in a folder", "FOLDER")


def main(folder: str, frames: int) -> None:
    """Sends so many pictures of the bundled portrait, moved by the bundled recording."""
    output = OutputSettings(sink=f"folder:{folder}", width_px=512, height_px=512, fps=10)
    settings = Settings(camera=CameraSettings(source="recording"), output=output)
    with ending() as ended, Session(Builder(settings)) as session:
        session.start()
        session.run(ended, frames=frames)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
