"""Synthetic heads as files: pictures, masks and one table a thousand, made by several processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np

from engine.errors import InputError
from engine.picture import read_picture
from engine.picture_file import write_picture
from engine.values import Picture
from trainer.data.inputs import PICTURES
from trainer.data.npz import write_npz
from trainer.data.sheets import save_sheet, sheet
from trainer.data.synthetic.stream import Sample, Split, SyntheticHeads
from trainer.data.workers import each

PER_CHUNK = 50  # pictures a worker makes before it reports
PREVIEW = 60
LARGEST_BACKGROUND_PX = 1024


@dataclass(frozen=True)
class RenderJob:
    """What is to be made; ``backgrounds`` is a folder of pictures or None."""

    out: str
    count: int
    size: int
    seed: int
    split: Split
    backgrounds: str | None


def synthesise_files(job: RenderJob, workers: int | None, made: Callable[[int], None]) -> float:
    """Writes ``images/<k>.jpg``, ``masks/<k>.png`` and ``labels/<first k>.npz``; returns the seconds it took.

    A chunk whose labels exist is done already. Labels: index, z, landmarks, person, as in ``Sample``. Raises InputError.
    """
    began = time.monotonic()
    chunks = list(range(0, job.count, PER_CHUNK))
    for number in each(partial(_open_worker, job), chunks, workers):
        made(number)
    return time.monotonic() - began


def write_chunk(job: RenderJob, first: int) -> int:
    """Makes the pictures ``first`` … of one chunk and returns how many they are. Raises InputError when the disk is full."""
    out = Path(job.out)
    indices = range(first, min(first + PER_CHUNK, job.count))
    labels = out / "labels" / f"{first:08d}.npz"
    if _holds(labels, len(indices)):
        return len(indices)
    try:
        for folder in ("images", "masks", "labels"):
            (out / folder).mkdir(parents=True, exist_ok=True)
        heads = _heads(job)
        samples = [heads.sample(index) for index in indices]
        for index, sample in zip(indices, samples, strict=True):
            _write_pictures(out, index, sample)
        write_npz(
            labels,
            {
                "index": np.array(indices),
                "z": np.stack([sample.z for sample in samples]),
                "landmarks": np.stack([sample.landmarks for sample in samples]),
                "person": np.array([sample.person for sample in samples], np.int64),
            },
        )
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{out} could not be written ({reason}): free some space and run the same command again") from error
    return len(indices)


def _open_worker(job: RenderJob) -> AbstractContextManager[Callable[[int], int]]:
    return nullcontext(partial(write_chunk, job))


def write_contact_sheet(out: Path, path: Path) -> None:
    """The first pictures, side by side. Raises InputError."""
    files = sorted((out / "images").glob("*.jpg"))[:PREVIEW]
    tiles = [(file.stem, read_picture(file)) for file in files]
    save_sheet(sheet(tiles, 10, 192), path)


def _write_pictures(out: Path, index: int, sample: Sample) -> None:
    write_picture(out / "images" / f"{index:08d}.jpg", sample.image)
    write_picture(out / "masks" / f"{index:08d}.png", sample.mask)


def _holds(labels: Path, count: int) -> bool:
    if not labels.exists():
        return False
    with np.load(labels, allow_pickle=False) as archive:
        return len(archive["index"]) == count


@lru_cache(maxsize=1)
def _heads(job: RenderJob) -> SyntheticHeads:
    return SyntheticHeads(job.size, job.seed, split=job.split, backgrounds=_pictures(job.backgrounds))


def _pictures(folder: str | None) -> list[Picture]:
    if folder is None:
        return []
    files = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in PICTURES)
    if not files:
        raise InputError(f"{folder} holds no pictures to use as backgrounds")
    return [_limited(read_picture(file)) for file in files]


def _limited(picture: Picture) -> Picture:
    scale = LARGEST_BACKGROUND_PX / max(picture.shape[:2])
    if scale >= 1:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
