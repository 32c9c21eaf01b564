"""Plots into files, without a screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DPI = 90


@contextmanager
def plotted(path: Path, size_in: tuple[float, float], rows: int = 1) -> Iterator[Sequence[Any]]:
    """``rows`` matplotlib Axes above one another in a figure of that size [inches], which is written to ``path`` at the end."""
    import matplotlib as mpl  # here, because it takes a second to import

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(rows, 1, figsize=size_in, sharex=True, squeeze=False)
    try:
        yield list(axes[:, 0])
        figure.tight_layout()
        figure.savefig(path, dpi=DPI)
    finally:
        pyplot.close(figure)
