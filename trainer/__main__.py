"""``python -m trainer``."""

from __future__ import annotations

import sys

import typer

from engine.errors import HifiHeadError
from trainer.cli import app


def main() -> None:
    """Runs a command; an error that the user can cure is one sentence and status 1."""
    try:
        app()
    except HifiHeadError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
