"""The commands of ``python -m trainer``; each lives in its own module."""

from __future__ import annotations

import typer

from trainer.data.commands import prepare, recipe, synthesise
from trainer.demo_drive import demo_drive
from trainer.export import export
from trainer.generator.command import generator
from trainer.generator.judge.command import evaluate_generator
from trainer.generator.scenes_command import scenes
from trainer.head.command import head
from trainer.regressor.command import examples, regressor
from trainer.regressor.export import export_regressor
from trainer.regressor.judge_command import evaluate

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def trainer() -> None:
    """Makes what the camera runs on: the head model, the networks."""


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
evaluate.command("generator")(evaluate_generator)
app.add_typer(evaluate, name="evaluate")
