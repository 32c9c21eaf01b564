"""Reporting a run: the progress bar, and curves and pictures for TensorBoard with the same numbers as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor

if TYPE_CHECKING:
    from torch.utils.tensorboard.writer import SummaryWriter


class RunProgress:
    """Shows how many of ``total`` images a run has seen."""

    def __init__(self, total: int, done: int, *, shown: bool) -> None:
        columns = (
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[loss]}"),
            TimeElapsedColumn(), TimeRemainingColumn(),
        )  # fmt: skip
        self._progress = Progress(*columns, disable=not shown)
        self._task = self._progress.add_task("training", total=total, completed=done, loss="")

    def __call__(self, images: int, loss: float) -> None:
        self._progress.update(self._task, completed=images, loss=f"loss {loss:.3f}")

    def __enter__(self) -> RunProgress:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()


def due(images: int, every: int, batch: int) -> bool:
    """Whether something that happens every so many images falls into the batch that has just ended."""
    return images // every > (images - batch) // every


LINES = "curves.jsonl"


class TrainingCurves:
    """Writes into the folder of a run; without one (other processes than the first) it does nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._folder, self._writer = folder, _open_writer(folder)

    def add(self, values: Mapping[str, float], images: int) -> None:
        """A point of every curve."""
        if self._writer is None or self._folder is None:
            return
        for name, value in values.items():
            self._writer.add_scalar(name, value, images)
        with (self._folder / LINES).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"images": images, **{name: round(value, 6) for name, value in values.items()}}) + "\n")

    def show(self, picture: Tensor, images: int, name: str = "examples") -> None:
        """A (3, H, W) picture 0…1."""
        if self._writer is not None:
            self._writer.add_image(name, picture, images)

    def __enter__(self) -> TrainingCurves:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._writer is not None:
            self._writer.close()


def _open_writer(folder: Path | None) -> SummaryWriter | None:
    if folder is None:
        return None
    from torch.utils.tensorboard.writer import SummaryWriter  # here, because it takes seconds to import

    folder.mkdir(parents=True, exist_ok=True)
    return SummaryWriter(str(folder / "tensorboard"))
