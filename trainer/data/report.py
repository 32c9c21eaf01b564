"""What preparing came to: a table, the list of bad files, and a sheet of pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from engine.errors import InputError
from engine.files import write_text
from engine.values import Picture
from trainer.data.prepare import REJECTED, FileNote, Note
from trainer.data.shards import SPLITS, ShardFolder
from trainer.data.sheets import GROUND, TILE_PX, save_sheet, sheet

SKIPPED_LIST = "skipped.txt"
_COLUMNS, _ROWS = 12, 5


def summary(notes: Sequence[Note]) -> str:
    """Sentences: crops accepted, pictures left out by reason, files that could not be used."""
    reasons: Counter[str] = Counter()
    for entry in _files(notes):
        reasons.update(entry.left_out)
    lines = [f"{sum(note.accepted for note in notes)} crops from {len(_files(notes))} files"]
    lines += [f"left out: {count} × {reason}" for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))]
    bad = skipped(notes)
    lines += [f"{len(bad)} files gave nothing, listed in {SKIPPED_LIST}"] if bad else []
    return "\n".join(lines)


def skipped(notes: Sequence[Note]) -> list[str]:
    """A line for each file that gave no crop, and why."""
    lines = []
    for entry in _files(notes):
        if not entry.accepted:
            reasons = ", ".join(f"{count} × {reason}" for reason, count in sorted(entry.left_out.items()))
            lines.append(f"{entry.name}: {entry.problem or reasons or 'nothing in it'}")
    return sorted(lines)


def finish(notes: Sequence[Note], out: Path) -> str:
    """Writes the list of bad files and returns the summary. Raises InputError when no crop was accepted at all."""
    bad = skipped(notes)
    write_text(out / SKIPPED_LIST, "".join(f"{line}\n" for line in bad))
    if not any(note.accepted for note in notes):
        raise InputError("no usable face was found in any file; " + "; ".join(bad[:3]) + (" …" if len(bad) > 3 else ""))
    return summary(notes)


def write_preview(out: Path, path: Path) -> None:
    """A sheet of accepted crops, below them some that were left out, with the reason. Raises InputError."""
    accepted = [tile for split in SPLITS for tile in _accepted(out, split)]
    rejected = [
        (file.stem.split(" ", 1)[1], _read(file)) for file in sorted((out / REJECTED).glob("* *.jpg"))[: _COLUMNS * _ROWS]
    ]
    save_sheet(sheet(accepted[: _COLUMNS * _ROWS], _COLUMNS) + sheet(rejected, _COLUMNS), path)


def _accepted(out: Path, split: str) -> list[tuple[str, Picture]]:
    try:
        folder = ShardFolder(out, split)
    except InputError:
        return []
    picks = np.unique(np.linspace(0, len(folder) - 1, _COLUMNS * _ROWS).astype(int))
    crops = (folder[int(index)] for index in picks)
    return [(f"{split} {crop.quality:.2f}", crop.image) for crop in crops]


def _read(path: Path) -> Picture:
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        return np.full((TILE_PX, TILE_PX, 3), GROUND, np.uint8)
    return np.asarray(picture[..., ::-1], np.uint8)


def _files(notes: Sequence[Note]) -> list[FileNote]:
    return [entry for note in notes for entry in note.files]
