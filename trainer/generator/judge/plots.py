"""The report's plots: figure 6, and what moves in the pictures beside what moved in the clip."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trainer.generator.judge.cross import Runs
from trainer.generator.judge.motion import curves
from trainer.metrics.identity import sorted_similarities


def figure6(path: Path, similarities: Mapping[str, list[float]]) -> None:
    """Identity similarity of every pair, sorted by the last method's: the same column is the same pair."""
    plt = _pyplot()
    arrays = {name: np.array(values, np.float32) for name, values in similarities.items()}
    figure, axes = plt.subplots(figsize=(9, 4))
    for name, values in sorted_similarities(arrays, list(arrays)[-1]).items():
        axes.plot(values, ".", markersize=3, label=name)
    axes.set_xlabel("pair")
    axes.set_ylabel("identity similarity")
    axes.legend(fontsize=8)
    _save(plt, figure, path)


def motion(path: Path, runs: Runs) -> None:
    """Channels over the frames: the driver in black, methods in colours."""
    plt = _pyplot()
    seen = {name: ([a for a, _ in both], [b for _, b in both]) for name, both in runs.items() if len(both) > 1}
    if not seen:
        return
    by_method = {name: (curves(found), curves(driver)) for name, (found, driver) in seen.items()}
    channels = list(next(iter(by_method.values()))[0])
    figure, rows = plt.subplots(len(channels), 1, figsize=(11, 1.6 * len(channels)), sharex=True)
    for axes, channel in zip(rows, channels, strict=True):
        driver = next(iter(by_method.values()))[1][channel]
        axes.plot(driver - driver[0], color="black", linewidth=1.2, label="driver")
        for name, (found, _) in by_method.items():
            axes.plot(found[channel] - found[channel][0], linewidth=0.8, label=name)
        axes.set_ylabel(channel)
    rows[0].legend(fontsize=7, loc="upper right", ncols=3)
    _save(plt, figure, path)


def _save(plt: Any, figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)


def _pyplot() -> Any:
    import matplotlib as mpl  # here, because it takes a second to import

    mpl.use("Agg")
    from matplotlib import pyplot

    return pyplot
