"""The commands of ``python -m trainer``; each lives in its own module."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from engine.errors import ConfigError
from trainer.blind.command import blind
from trainer.data.commands import demo_drive, prepare, recipe, synthesise
from trainer.generator.commands import export, generator, scenes
from trainer.generator.evaluation.command import evaluate_generator
from trainer.geometry.command import evaluate_geometry
from trainer.gpu.command import check_gpu
from trainer.head.command import head
from trainer.photographs.command import evaluate_photographs
from trainer.pipeline import QUICK, WHOLE, make_everything
from trainer.regressor.commands import examples, export_regressor, regressor
from trainer.regressor.evaluation.command import evaluate_regressor
from trainer.visemes.commands import evaluate_visemes, visemes

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
evaluate = typer.Typer(no_args_is_help=True, help="Measure what was trained.")

FOLDER, QUICK_FOLDER = Path("training"), Path("training-quick")


@app.callback(invoke_without_command=True)
def trainer(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Option(help="Where everything goes; a folder that was begun goes on. By default ./training.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A small run of every step as a proof, in ./training-quick.")] = False,
    packages: Annotated[Path | None, typer.Option(help="A folder of packages fetched already, looked into first.")] = None,
    clip: Annotated[list[Path] | None, typer.Option(help="A video to evaluate on, of nobody trained on; repeatable.")] = None,
    portrait: Annotated[list[Path] | None, typer.Option(help="A photograph to evaluate on, likewise; repeatable.")] = None,
) -> None:
    """Make what the camera runs on. Without a command: everything, from free data to a bundle that the camera loads."""
    given = [name for name, value in context.params.items() if value]
    if context.invoked_subcommand is not None and given:
        raise ConfigError(
            f"--{given[0]} before {context.invoked_subcommand} has no meaning: it belongs to the run of everything. Leave it "
            "out, or leave the command out."
        )
    if context.invoked_subcommand is None:
        make_everything(
            folder or (QUICK_FOLDER if quick else FOLDER),
            QUICK if quick else WHOLE,
            packages,
            clip or [],
            portrait or [],
            Console(),
        )


app.command()(head)
app.command()(export)
app.command()(demo_drive)
app.command()(synthesise)
app.command()(prepare)
app.command()(recipe)
app.command()(scenes)
app.command()(generator)
app.command()(examples)
app.command()(regressor)
app.command()(export_regressor)
app.command()(visemes)
app.command()(check_gpu)
evaluate.command("regressor")(evaluate_regressor)
evaluate.command("generator")(evaluate_generator)
evaluate.command("geometry")(evaluate_geometry)
evaluate.command("photographs")(evaluate_photographs)
evaluate.command("visemes")(evaluate_visemes)
app.add_typer(evaluate, name="evaluate")
app.add_typer(blind, name="blind")
