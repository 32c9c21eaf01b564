"""The progress bar of a run, with its loss and the time that is left."""

from __future__ import annotations

from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


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
