"""Portraits of many people from a public collection that somebody has fetched: who is learned from, and who is held out.

The collection is the repository unitedstates/images (GitHub): one official portrait of each member of the US Congress, made by
the US Government Publishing Office and in the public domain; the repository's own part is CC0.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError
from trainer.data.inputs import PICTURES, Item, Split, number

LEARNED, HELD_OUT = "learned", "held-out"  # folders; what lies in the second one is refused wherever something is learned
ONE_IN = 10  # of so many people one is held out
_NAME = re.compile(r"^[A-Z]\d{6}$")  # a Bioguide id
_SIZES = {"original": 3, "450x550": 2, "225x275": 1}  # folder of the collection → which is preferred


@dataclass(frozen=True)
class People:
    """Where the portraits lie: one file a person."""

    learned: Path
    held_out: Path

    def items(self) -> list[Item]:
        """The portraits as what is to be prepared, held-out people as the split "test"."""
        places: tuple[tuple[Path, Split], ...] = ((self.learned, "train"), (self.held_out, "test"))
        return [
            Item(str(path), f"{folder.name}/{path.name}", number(path.stem), split, video=False)
            for folder, split in places
            for path in sorted(folder.iterdir())
        ]


def is_held_out(name: str) -> bool:
    """Whether a person is never learned from; depends on the name alone, so that it is so in every size and every selection."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % ONE_IN == 0


def sort_people(source: Path, out: Path) -> People:
    """Copies the largest portrait of each person in a clone (or a folder of portraits named by id) into two folders below
    ``out``. Raises InputError."""
    found = find_portraits(source)
    people = People(out / LEARNED, out / HELD_OUT)
    try:
        for folder in (people.learned, people.held_out):
            folder.mkdir(parents=True, exist_ok=True)
        for name, path in found.items():
            target = (people.held_out if is_held_out(name) else people.learned) / f"{name}{path.suffix.lower()}"
            if not target.exists():
                shutil.copyfile(path, target)
    except OSError as error:
        raise InputError(f"{out} could not be written ({error.strerror}): free some space and run again.") from error
    return people


def find_portraits(source: Path) -> dict[str, Path]:
    """Name → the largest portrait, sorted by name. Raises InputError when there is none."""
    files = [path for path in source.rglob("*") if path.suffix.lower() in PICTURES and _NAME.match(path.stem)]
    files.sort(key=lambda path: (path.stem, _SIZES.get(path.parent.name, 0), str(path)))
    if not files:
        raise InputError(
            f"{source} holds no portraits named by a Bioguide id, like A000360.jpg: give a clone of the repository "
            "unitedstates/images, or a folder with its pictures."
        )
    return {path.stem: path for path in files}
