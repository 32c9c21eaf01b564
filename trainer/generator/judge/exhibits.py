"""Pictures for the report: videos and contact sheets with a column for each method, both from one stream of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np

from engine.values import Picture
from trainer.data.report import save_sheet, sheet

TILE_PX, FILM_TILE_PX = 256, 256
SHEET_ROWS = 6
CODECS = ("libx264", "mpeg4")  # the first that is there; browsers show H.264 only


@dataclass(frozen=True)
class Exhibit:
    """A file of the report's folder: a picture or a video by its suffix."""

    file: str
    caption: str


class Film:
    """An MP4 of equally large pictures; sides must be even."""

    def __init__(self, path: Path, fps: float) -> None:
        self._container = av.open(str(path), "w")
        codec = next(name for name in CODECS if name in av.codecs_available)
        stream = self._container.add_stream(codec, rate=Fraction(fps).limit_denominator(1000))
        assert isinstance(stream, av.VideoStream)  # noqa: S101 - for the type checker
        self._stream = stream
        self._stream.pix_fmt = "yuv420p"
        self._stream.bit_rate = 4_000_000

    def add(self, picture: Picture) -> None:
        """The next frame."""
        if not self._stream.codec_context.is_open:  # it opens with the first frame
            self._stream.height, self._stream.width = picture.shape[:2]
        for packet in self._stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")):
            self._container.mux(packet)

    def close(self) -> None:
        """Finishes the file."""
        for packet in self._stream.encode():
            self._container.mux(packet)
        self._container.close()


class Strip:
    """A video of rows of pictures, and a sheet of some of them. Use ``with``; ``exhibits`` afterwards."""

    def __init__(self, folder: Path, name: str, columns: Sequence[str], *, caption: str, fps: float, rows: int) -> None:
        """``rows``: how many will come."""
        self._folder, self._name, self._columns, self._caption = folder, name, columns, caption
        self._film = Film(folder / f"{name}.mp4", fps)
        self._every, self._count = max(1, -(-rows // SHEET_ROWS)), 0
        self._kept: list[Picture] = []

    def __call__(self, pictures: Sequence[Picture]) -> None:
        """The next row, a (512, 512, 3) picture for each column."""
        tiles = list(zip(self._columns, pictures, strict=True))
        self._film.add(np.concatenate(sheet(tiles, len(tiles), FILM_TILE_PX)))
        if self._count % self._every == 0:
            self._kept += sheet(tiles, len(tiles), TILE_PX)
        self._count += 1

    def __enter__(self) -> Strip:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._count:
            self._film.close()

    @property
    def exhibits(self) -> list[Exhibit]:
        """Writes the sheet; nothing where no row came."""
        if not self._kept:
            return []
        save_sheet(self._kept, self._folder / f"{self._name}.jpg")
        return [Exhibit(f"{self._name}.mp4", self._caption), Exhibit(f"{self._name}.jpg", self._caption)]
