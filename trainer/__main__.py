"""``python -m trainer``."""

from __future__ import annotations

import ctypes
import os
import sys

import typer

from engine.errors import HifiHeadError
from engine.process import end_process, quiet_native_code
from trainer.cli import app

# mallopt's parameters and what they are set to, of glibc's malloc.h: no block is a mapping of its own, nothing is handed back
# until two gigabytes lie idle, and the heap grows by a quarter of a gigabyte.
_GLIBC = {-4: 0, -1: 2**31 - 1, -2: 2**28}


def main() -> None:
    """Runs a command; an error that the user can cure is one sentence and status 1."""
    if "WORLD_SIZE" not in os.environ:  # on clusters the libraries' own notes are needed
        quiet_native_code()
    keep_memory()
    try:
        app()
    except HifiHeadError as error:
        typer.echo(str(error), err=True)
        end_process(1)
    except SystemExit as ended:  # how typer ends a command
        end_process(ended.code if isinstance(ended.code, int) else 1)


def keep_memory() -> bool:
    """Lets freed memory stay with this process; True where the C library can (glibc).

    A step takes and frees gigabytes. By default glibc returns each large block to the system, which clears it page by page when
    it is taken again: a quarter of a step's time on a CPU (2.0 instead of 1.5 s for eight pictures of ``live``).
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(name, value) == 1 for name, value in _GLIBC.items())


if __name__ == "__main__":
    main()
