"""``python -m trainer``."""

from __future__ import annotations

import os
import sys

import typer

from engine.errors import HifiHeadError
from engine.process import quiet_native_code
from trainer.cli import app
from trainer.training.memory import keep_memory


def main() -> None:
    """Runs a command; an error that the user can cure is one sentence and status 1."""
    if "WORLD_SIZE" not in os.environ:  # on clusters the libraries' own notes are needed
        quiet_native_code()
    keep_memory()
    try:
        app()
    except HifiHeadError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
