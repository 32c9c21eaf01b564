"""The evaluation as a table for people, JSON for programs, and plots."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from engine.files import write_text
from trainer.metrics.intervals import Interval
from trainer.plotting import plotted
from trainer.regressor.evaluation.channels import agreement_by_group, by_group
from trainer.regressor.evaluation.measures import ClipCurves, Observations, evaluate_motion

Measures = Mapping[str, Mapping[str, float]]


def write_report(
    folder: Path, synthetic: Measures, portraits: Observations | None, still: Measures, clips: Sequence[ClipCurves]
) -> dict[str, Any]:
    """Writes report.json, errors.png, portraits.png and one curve plot a clip into ``folder``; returns what the JSON holds."""
    folder.mkdir(parents=True, exist_ok=True)
    moved = {} if portraits is None else evaluate_motion(portraits)
    content: dict[str, Any] = {
        "synthetic": {name: _rounded(values) for name, values in synthetic.items()},
        "portraits": {name: _rounded(values) for name, values in moved.items()},
        **({} if portraits is None else _over_people(portraits)),
        "still": {name: _rounded(values) for name, values in still.items()},
        "clips": {one.clip: {name: _rounded(values) for name, values in one.agreement().items()} for one in clips},
    }
    write_text(folder / "report.json", json.dumps(content, indent=1) + "\n")
    if synthetic or still:
        names = list(synthetic or still)
        _bars(folder / "errors.png", {name: {**synthetic.get(name, {}), **still.get(name, {})} for name in names})
    if moved:
        _bars(folder / "portraits.png", moved)
    for one in clips:
        _lines(folder / f"{Path(one.clip).stem}.png", one)
    return content


def show_table(console: Console, content: Mapping[str, Any]) -> None:
    """One row a measure, one column a regressor."""
    for title, measures in _sections(content):
        names = list(measures)
        if not names:
            continue
        table = Table("measure", *names, title=title)
        for measure in measures[names[0]]:
            table.add_row(measure, *(f"{measures[name].get(measure, float('nan')):.4g}" for name in names))
        console.print(table)
    for title, of_groups in (("animated portraits, over people", "ratios"), ("correlation with the truth", "agreement")):
        if content.get(of_groups):
            console.print(_table_of_groups(title, content[of_groups]))


def _table_of_groups(title: str, measures: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table("channels", *measures, title=title)
    for group in next(iter(measures.values())):
        table.add_row(group, *(_shown(measures[name][group]) for name in measures))
    return table


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(Interval(**value))


def _over_people(seen: Observations) -> dict[str, Any]:
    """Of each channel group the distance over that of the first regressor, with its interval, and the correlation."""
    first = next(iter(seen.found))
    ratios = {
        f"{name} / {first}": {group: _rounded(asdict(one)) for group, one in groups.items()}
        for name, groups in by_group(seen, first).items()
    }
    return {"ratios": ratios, "agreement": {name: _rounded(groups) for name, groups in agreement_by_group(seen).items()}}


def _sections(content: Mapping[str, Any]) -> list[tuple[str, Measures]]:
    clips = [(f"{clip}: correlation with the tracker", measures) for clip, measures in content["clips"].items()]
    exact = [
        ("rendered heads, exact z", content["synthetic"]),
        ("animated portraits, departures from each one's mean", content["portraits"]),
    ]
    return [*exact, ("a face that holds still", content["still"]), *clips]


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.5g}") for name, value in values.items()}


def _bars(path: Path, measures: Measures) -> None:
    """Each measure relative to the first regressor's."""
    names = list(measures)
    first = measures[names[0]]
    shown = [m for m in first if first[m] and not m.startswith(("blink", "found", "r "))]
    place = np.arange(len(shown))
    with plotted(path, (9, 4)) as (axes,):
        for k, name in enumerate(names):
            heights = [measures[name].get(m, 0.0) / first[m] for m in shown]
            axes.bar(place + (k - (len(names) - 1) / 2) * 0.8 / len(names), heights, 0.8 / len(names), label=name)
        axes.set_xticks(place, shown, rotation=20)
        axes.set_ylabel(f"error, {names[0]} = 1")
        axes.legend()


def _lines(path: Path, curves: ClipCurves) -> None:
    """The channels of a clip over its frames."""
    agreement = curves.agreement()
    with plotted(path, (11, 1.7 * len(curves.tracker)), len(curves.tracker)) as rows:
        for axes, (channel, tracked) in zip(rows, curves.tracker.items(), strict=True):
            axes.plot(tracked, color="black", linewidth=1.2, label="tracker")
            for name, found in curves.found.items():
                axes.plot(found[channel], linewidth=0.8, label=f"{name} r={agreement[name][channel]:.2f}")
            axes.set_ylabel(channel)
            axes.legend(fontsize=7, loc="upper right")
