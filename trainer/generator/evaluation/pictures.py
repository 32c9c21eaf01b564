"""Pictures of an evaluation: videos and contact sheets with a column for each method, and a blind comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np

from engine.values import Picture
from trainer.blind.sheet import BlindPair, write_sheet
from trainer.data.sheets import save_sheet, sheet

TILE_PX, FILM_TILE_PX = 256, 256
SHEET_ROWS = 6
CODECS = ("libx264", "mpeg4")  # the first that is there; browsers show H.264 only

ShowRow = Callable[[Sequence[Picture]], None]  # takes source, driving picture and one of each method


@dataclass(frozen=True)
class ReportFile:
    """A file of the report's folder: a picture or a video by its suffix."""

    file: str
    caption: str


class VideoFile:
    """An MP4 of equally large pictures; sides must be even."""

    def __init__(self, path: Path, fps: float) -> None:
        self._closed = False
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
        """Finishes the file; may be called again."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._stream.codec_context.is_open:
                for packet in self._stream.encode():
                    self._container.mux(packet)
        finally:
            self._container.close()

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class ComparisonVideo:
    """A video of rows of pictures, and a sheet of some of them. Use ``with``; ``files`` afterwards."""

    def __init__(self, folder: Path, name: str, columns: Sequence[str], *, caption: str, fps: float, rows: int) -> None:
        """``rows``: how many will come."""
        self._folder, self._name, self._columns, self._caption = folder, name, columns, caption
        self._film = VideoFile(folder / f"{name}.mp4", fps)
        self._every, self._count = max(1, -(-rows // SHEET_ROWS)), 0
        self._kept: list[Picture] = []

    def __call__(self, pictures: Sequence[Picture]) -> None:
        """The next row, a (512, 512, 3) picture for each column."""
        tiles = list(zip(self._columns, pictures, strict=True))
        self._film.add(np.concatenate(sheet(tiles, len(tiles), FILM_TILE_PX)))
        if self._count % self._every == 0:
            self._kept += sheet(tiles, len(tiles), TILE_PX)
        self._count += 1

    def __enter__(self) -> ComparisonVideo:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._film.close()

    @property
    def files(self) -> list[ReportFile]:
        """Writes the sheet; nothing where no row came."""
        if not self._kept:
            return []
        save_sheet(self._kept, self._folder / f"{self._name}.jpg")
        return [ReportFile(f"{self._name}.mp4", self._caption), ReportFile(f"{self._name}.jpg", self._caption)]


BLIND_ROWS = 20


class BlindComparison:
    """Takes rows of pictures and keeps ``BLIND_ROWS`` of them, each with the same chance (reservoir sampling)."""

    def __init__(self, first: str, second: str, seed: int = 0) -> None:
        """``first`` and ``second``: the methods that are compared, for the key."""
        self._names, self._rng = (first, second), np.random.default_rng(seed)
        self._seen = 0
        self._kept: list[BlindPair] = []

    def add(self, source: Picture, driving: Picture, first: Picture, second: Picture) -> None:
        """The next row, pictures (512, 512, 3)."""
        row = BlindPair(f"row {self._seen + 1}", (source, driving), first, second)
        place = int(self._rng.integers(self._seen + 1))
        self._seen += 1
        if len(self._kept) < BLIND_ROWS:
            self._kept.append(row)
        elif place < BLIND_ROWS:
            self._kept[place] = row

    def write(self, folder: Path) -> None:
        """Writes the sheet, shuffled anew each time, and the key apart from it: see ``write_sheet``."""
        write_sheet(self._kept, self._names, folder, np.random.default_rng())
