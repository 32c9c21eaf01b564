"""The report's plots: figure 6, and what moves in the pictures beside what moved in the clip."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from trainer.generator.judge.cross import Runs
from trainer.generator.judge.motion import curves
from trainer.metrics.identity import sorted_similarities
from trainer.plotting import plotted


def figure6(path: Path, similarities: Mapping[str, list[float]]) -> None:
    """Identity similarity of every pair, sorted by the last method's: the same column is the same pair."""
    arrays = {name: np.array(values, np.float32) for name, values in similarities.items()}
    with plotted(path, (9, 4)) as (axes,):
        for name, values in sorted_similarities(arrays, list(arrays)[-1]).items():
            axes.plot(values, ".", markersize=3, label=name)
        axes.set_xlabel("pair")
        axes.set_ylabel("identity similarity")
        axes.legend(fontsize=8)


def motion(path: Path, runs: Runs) -> None:
    """Channels over the frames: the driver in black, methods in colours."""
    seen = {name: ([a for a, _ in both], [b for _, b in both]) for name, both in runs.items() if len(both) > 1}
    if not seen:
        return
    by_method = {name: (curves(found), curves(driver)) for name, (found, driver) in seen.items()}
    channels = list(next(iter(by_method.values()))[0])
    with plotted(path, (11, 1.6 * len(channels)), len(channels)) as rows:
        for axes, channel in zip(rows, channels, strict=True):
            driver = next(iter(by_method.values()))[1][channel]
            axes.plot(driver - driver[0], color="black", linewidth=1.2, label="driver")
            for name, (found, _) in by_method.items():
                axes.plot(found[channel] - found[channel][0], linewidth=0.8, label=name)
            axes.set_ylabel(channel)
        rows[0].legend(fontsize=7, loc="upper right", ncols=3)
