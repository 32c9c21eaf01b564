"""A sheet for fresh eyes: pure geometry and the last method side by side at full size, in an order that only the key tells."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.values import Picture
from trainer.data.report import save_sheet, sheet
from trainer.data.shards import CROP_PX

FRAMES = 20
SHEET, KEY = "blind.jpg", "blind-key.json"
COLUMNS = ("source", "driving", "A", "B")


class Blind:
    """Takes rows of pictures and keeps ``FRAMES`` of them, each with the same chance (reservoir sampling)."""

    def __init__(self, first: str, second: str, seed: int = 0) -> None:
        """``first`` and ``second``: the methods that are compared, for the key."""
        self._names, self._rng = (first, second), np.random.default_rng(seed)
        self._seen = 0
        self._kept: list[tuple[Picture, ...]] = []

    def add(self, source: Picture, driving: Picture, first: Picture, second: Picture) -> None:
        """The next row, pictures (512, 512, 3)."""
        row = (source, driving, first, second)
        place = int(self._rng.integers(self._seen + 1))
        self._seen += 1
        if len(self._kept) < FRAMES:
            self._kept.append(row)
        elif place < FRAMES:
            self._kept[place] = row

    def write(self, folder: Path) -> None:
        """Writes the sheet, and the key apart from it: number → what A is."""
        swapped = self._rng.random(len(self._kept)) < 0.5
        lines: list[Picture] = []
        for number, ((source, driving, *both), swap) in enumerate(zip(self._kept, swapped, strict=True), 1):
            labels = [f"{number} {column}" for column in COLUMNS]
            lines += sheet(list(zip(labels, [source, driving, *_ordered(both, swap)], strict=True)), len(COLUMNS), CROP_PX)
        save_sheet(lines, folder / SHEET)
        key = {str(number): self._names[int(swap)] for number, swap in enumerate(swapped, 1)}
        (folder / KEY).write_text(json.dumps({"A is": key}, indent=1) + "\n", encoding="utf-8")


def _ordered(both: Sequence[Picture], swap: bool) -> list[Picture]:
    return list(both)[::-1] if swap else list(both)
