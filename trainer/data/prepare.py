"""Preparing one unit of work: read, track, cut, label, rate, write a shard and a note of what was done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from engine.errors import HifiHeadError, InputError
from engine.files import write_text
from engine.head import load_head
from engine.picture import read_picture
from engine.picture_file import write_picture
from engine.track import Tracker
from engine.video import Frame, read_frames
from trainer.data.clips import Clip, Rejects, clips
from trainer.data.inputs import Item, Unit, number
from trainer.data.labels import Labeller
from trainer.data.quality import rate_crop
from trainer.data.shards import Crop, write_shard
from trainer.training.config import Positive, Share, StrictConfig

CROPS_PER_SHARD = 256
NOTES, REJECTED = "notes", "rejected"


class PrepareConfig(StrictConfig):
    """frames_per_second: how densely videos are sampled; min_quality 0…1: what is left out, see ``trainer.data.quality``."""

    frames_per_second: Positive = 5.0
    min_quality: Share = 0.25


@dataclass(frozen=True)
class FileNote:
    """What became of a file: crops accepted, pictures left out by reason, and why it could not be read, if so."""

    name: str
    accepted: int
    left_out: dict[str, int]
    problem: str = ""


@dataclass(frozen=True)
class Note:
    """What became of a unit."""

    key: str
    accepted: int
    files: tuple[FileNote, ...]


class WriteError(InputError):
    """Nothing can be written any more: unlike a file that cannot be read, that ends the whole run."""


class _Writer:
    """Collects crops into shards ``<split>/<key>-<n>.npz``."""

    def __init__(self, unit: Unit, out: Path) -> None:
        self._unit, self._out = unit, out
        self._waiting: dict[str, list[Crop]] = {}
        self._written: dict[str, int] = {}
        self._thumbnails = 0

    def add(self, split: str, crop: Crop) -> None:
        self._waiting.setdefault(split, []).append(crop)
        if len(self._waiting[split]) == CROPS_PER_SHARD:
            self._write(split)

    def finish(self) -> None:
        for split in list(self._waiting):
            self._write(split)

    def keep_thumbnails(self, rejects: Rejects) -> None:
        folder = self._out / REJECTED
        for reason, picture in rejects.thumbnails:
            folder.mkdir(parents=True, exist_ok=True)
            name = f"{self._unit.key}-{self._thumbnails:03d} {reason}.jpg"
            write_picture(folder / name, picture)
            self._thumbnails += 1

    def _write(self, split: str) -> None:
        crops = self._waiting.pop(split)
        count = self._written.get(split, 0)
        try:
            write_shard(self._out / split / f"{self._unit.key}-{count:03d}.npz", crops)
        except InputError as error:
            raise WriteError(str(error)) from error
        self._written[split] = count + 1


class UnitPreparer:
    """Prepares units into the folder ``out``; serves one thread. A context manager: it holds the tracker."""

    def __init__(self, out: Path, config: PrepareConfig) -> None:
        self._out, self._config = out, config
        self._labeller = Labeller(load_head())
        self._tracker = Tracker("picture")

    def __call__(self, unit: Unit) -> Note:
        """Does one unit and writes its note last: a unit without a note is done again. Raises InputError for a full disk."""
        writer = _Writer(unit, self._out)
        files = []
        for item in unit.items:
            rejects, accepted, problem = Rejects(), 0, ""
            try:
                for crop in self._crops(item, rejects):
                    writer.add(item.split, crop)
                    accepted += 1
            except WriteError:
                raise
            except HifiHeadError as error:
                problem = str(error)
            files.append(FileNote(item.name, accepted, dict(sorted(rejects.reasons.items())), problem))
            writer.keep_thumbnails(rejects)
        writer.finish()
        note = Note(unit.key, sum(file.accepted for file in files), tuple(files))
        write_note(note, self._out)
        return note

    def close(self) -> None:
        """Closes the tracker; may be called again."""
        self._tracker.close()

    def __enter__(self) -> UnitPreparer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _crops(self, item: Item, rejects: Rejects) -> Iterator[Crop]:
        frames = _video(item, self._config) if item.video else _photograph(item)
        for index, clip in enumerate(clips(frames, self._tracker, rejects)):
            yield from self._labelled(item, index, clip, rejects)

    def _labelled(self, item: Item, index: int, clip: Clip, rejects: Rejects) -> Iterator[Crop]:
        identity = number(f"{item.name}#{index}")
        labels = self._labeller.label(clip.crops, clip.faces)
        for i, (image, face, (z, misfit_px)) in enumerate(zip(clip.crops, clip.faces, labels, strict=True)):
            quality = rate_crop(image, face, clip.source_face_px[i], misfit_px)
            if quality.score < self._config.min_quality or not np.isfinite(z).all():
                rejects.add(quality.complaint, image)
                continue
            landmarks = face.landmarks[:, :2].astype(np.float32)
            yield Crop(image, z, landmarks, quality.score, item.person, identity, clip.times_s[i], item.name)


def _video(item: Item, config: PrepareConfig) -> Iterator[Frame]:
    # one file a process: the other cores have files of their own
    return read_frames(Path(item.path), per_second=config.frames_per_second, threads="SLICE")


def _photograph(item: Item) -> Iterator[Frame]:
    yield Frame(read_picture(Path(item.path)), 0.0)


def note_path(key: str, out: Path) -> Path:
    """Where a unit's note lies."""
    return out / NOTES / f"{key}.json"


def write_note(note: Note, out: Path) -> None:
    """Written whole or not at all."""
    path = note_path(note.key, out)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(asdict(note), ensure_ascii=False, sort_keys=True))
    except (OSError, InputError) as error:
        raise WriteError(f"{error} Free some space and run the same command again.") from error


def read_note(key: str, out: Path) -> Note | None:
    """The note of a unit that is done, else None."""
    try:
        return parse_note(note_path(key, out).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def parse_note(text: str) -> Note:
    """The JSON of a note, read."""
    content = json.loads(text)
    return Note(content["key"], content["accepted"], tuple(FileNote(**entry) for entry in content["files"]))
