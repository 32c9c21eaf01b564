"""``python -m trainer scenes``: what the generator learns from (docs/training.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from engine.errors import InputError


def scenes(
    out: Annotated[Path, typer.Argument(help="Folder of the set; one that was begun goes on.")],
    synthetic: Annotated[int, typer.Option(min=0, help="So many rendered people.")] = 0,
    shards: Annotated[Path | None, typer.Option(help="Crops of videos or albums, made by `prepare`.")] = None,
    per_series: Annotated[int, typer.Option(min=1, help="Sources taken from each of their clips and albums.")] = 40,
    photographs: Annotated[
        list[Path] | None, typer.Option(help="Photographs, or a folder of them: targets whose sources geometry makes.")
    ] = None,
    per_photograph: Annotated[int, typer.Option(min=1, help="Sources made of each.")] = 20,
    moments: Annotated[int, typer.Option(min=1, help="Targets per source, where there are several.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; all cores when not given.")] = None,
) -> None:
    """Make scenes for the generator: sources, what they are to show, and what geometry knows of it."""
    # the imports are here so that `trainer --help` does not wait for numba and mediapipe
    from trainer.generator.orders import Order, make_scenes, photograph_orders, series_orders, synthetic_orders

    orders = synthetic_orders(synthetic)
    orders += series_orders(shards, per_series) if shards is not None else []
    orders += photograph_orders(photographs, per_photograph) if photographs else []
    if not orders:
        raise InputError("Nothing to make scenes of: give --synthetic, --shards or --photographs.")
    columns = (TextColumn("scenes"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("scenes", total=len(orders))

        def tick(order: Order, good: bool) -> None:
            progress.advance(task)
            if not good:
                progress.console.print(f"no face: {order.what or 'synthetic'} {order.index}")

        made = make_scenes(out, orders, moments=moments, seed=seed, workers=workers, done=tick)
    typer.echo(f"{out}: {made} scenes of {len(orders)} sources")
