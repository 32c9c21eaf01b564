"""``python -m trainer evaluate geometry``: rendered people as portraits, held against the same people really moved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.generator.manifest import LIVE_BUNDLE

if TYPE_CHECKING:
    from trainer.geometry.evaluation import Record

ENGINE = "onnxruntime"  # the same on every machine
MOST_TRIES = 3  # for each person that is wanted: some cannot be used


def evaluate_geometry(
    out: Annotated[Path, typer.Option(help="Folder of the report: report.md, report.json, a sheet of each person.")],
    people: Annotated[int, typer.Option(min=1, help="How many rendered people; the same number is the same people.")] = 3,
    only: Annotated[
        str, typer.Option(help="Only groups of moments that begin so: yaw, aside, pitch, roll, lean, gaze, expression.")
    ] = "",
    bundle: Annotated[Path, typer.Option(help="Folder of an exported generator.")] = LIVE_BUNDLE,
    alone: Annotated[bool, typer.Option("--alone", help="Geometry without the network's corrections.")] = False,
) -> None:
    """Evaluate geometry: turns, nods, leans, gaze and expressions of rendered people, whose truth is known exactly."""
    # the imports are here so that `trainer --help` does not wait for numba and mediapipe
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.progress import Progress

    from engine.animator import Animator
    from engine.errors import ConfigError, InputError
    from engine.head import load_head
    from engine.head.portrayed import as_portrayed
    from trainer.geometry.evaluation import GeometryEvaluation
    from trainer.geometry.moments import all_moments
    from trainer.geometry.readings import Reader
    from trainer.geometry.report import PersonSheet, error_table, expression_table, reading_table, write_report

    moments = [moment for moment in all_moments() if moment.group.startswith(only)]
    if not moments:
        raise ConfigError(f"No group of moments begins with {only!r}; see --help for those that there are.")
    records: list[Record] = []
    used = 0
    with Animator(ENGINE, bundle=bundle, fixed=True) as animator, Reader() as reader, Progress() as progress:
        evaluation = GeometryEvaluation(as_portrayed(load_head()), animator, reader, "none" if alone else "new")
        task = progress.add_task("moments", total=people * len(moments))
        for number in range(MOST_TRIES * people):
            if used == people:
                break
            sheet = PersonSheet()
            try:
                records += evaluation.person(number, moments, sheet, lambda: progress.advance(task))
            except InputError as error:
                progress.console.print(str(error))
                continue
            sheet.save(out / f"person-{number}.png")
            used += 1
    if not records:
        raise InputError("No rendered person can be used as a portrait.")
    tables = [error_table(records), reading_table(records), expression_table(records)]
    tables = [table for table in tables if table.rows]
    settings = {"people": people, "only": only, "bundle": str(bundle), "alone": alone}
    write_report(out, settings, tables, records)
    for table in tables:
        Console().print(Markdown(table.markdown()))
