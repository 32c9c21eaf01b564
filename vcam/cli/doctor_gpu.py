"""``hifihead doctor --gpu``: a table of every engine, fit for a bug report."""

from __future__ import annotations

import textwrap
from dataclasses import asdict
from typing import Any

import typer
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from engine.runtime.bundle import LIVE_BUNDLE
from engine.runtime.trial import Trial
from vcam.cli.doctor import WIDTH
from vcam.doctor.gpu import report, try_all
from vcam.doctor.system import System


def gpu_table(system: System, *, quiet: bool) -> dict[str, Any]:
    """Tries every engine, prints the table unless ``quiet``, and returns what is in it."""
    head = report(system)
    trials = try_all(LIVE_BUNDLE, lambda name: None if quiet else typer.echo(f"Trying {name} …", err=True))
    if not quiet:
        for name, value in asdict(head).items():
            typer.echo(f"{name.replace('_', ' '):<14} {value}")
        Console().print(table(trials))
        for trial in trials:
            if trial.reason:
                typer.echo("\n".join(textwrap.wrap(f"{trial.name}: {trial.reason}", WIDTH, subsequent_indent="  ")))
    return {**asdict(head), "engines": [asdict(trial) for trial in trials]}


def table(trials: list[Trial]) -> Table:
    """A row per engine, as Markdown: it is pasted into reports."""
    grid = Table("engine", "right", "dB", "ms", "built in s", box=MARKDOWN)
    for trial in trials:
        numbers = (number(trial.psnr_db, 1), number(trial.ms, 1), number(trial.build_s, 1))
        grid.add_row(trial.name, "yes" if trial.ok else "no", *numbers)
    return grid


def number(value: float | None, digits: int) -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"
