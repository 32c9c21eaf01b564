"""The sheet of a blind look: pairs in a new order, each with its two pictures as A and B by chance, and the key apart from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import InputError
from engine.files import write_text
from engine.picture import read_picture
from engine.values import Picture
from trainer.data.inputs import photographs_in
from trainer.data.shards import CROP_PX
from trainer.data.sheets import save_sheet, sheet

SHEET, KEY = "blind.jpg", "blind-key.json"


@dataclass(frozen=True)
class BlindPair:
    """The same picture made in two ways, ``first`` and ``second``, and what may be seen beside it (the source, the driver).

    name  for the key: which pair it was
    """

    name: str
    beside: tuple[Picture, ...]
    first: Picture
    second: Picture


def write_sheet(pairs: Sequence[BlindPair], methods: tuple[str, str], out: Path, rng: np.random.Generator) -> None:
    """Writes blind.jpg, and blind-key.json: number → which pair it is, and which of the two ``methods`` is A.

    Raises InputError.
    """
    lines: list[Picture] = []
    key = {}
    for number, place in enumerate(rng.permutation(len(pairs)), 1):
        pair, swapped = pairs[place], bool(rng.random() < 0.5)
        shown = (pair.second, pair.first) if swapped else (pair.first, pair.second)
        labels = [*("beside" for _ in pair.beside), "A", "B"]
        tiles = [(f"{number} {label}", picture) for label, picture in zip(labels, [*pair.beside, *shown], strict=True)]
        lines += sheet(tiles, len(tiles), CROP_PX)
        key[str(number)] = {"pair": pair.name, "A": methods[swapped], "B": methods[not swapped]}
    save_sheet(lines, out / SHEET)
    write_text(out / KEY, json.dumps({"methods": list(methods), "pairs": key}, indent=1) + "\n")


def read_pairs(first: Path, second: Path, beside: Sequence[Path]) -> list[BlindPair]:
    """Pairs of pictures that have one name in both folders, with those of that name in the folders ``beside``.

    Raises InputError.
    """
    here, there, *others = ({path.stem: path for path in photographs_in([folder])} for folder in (first, second, *beside))
    names = [name for name in here if name in there and all(name in other for other in others)]
    if not names:
        raise InputError(f"{first} and {second} have no two pictures of one name: give folders with the same pictures.")
    return [
        BlindPair(name, tuple(read_picture(other[name]) for other in others), read_picture(here[name]), read_picture(there[name]))
        for name in names
    ]
