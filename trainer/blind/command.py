"""``python -m trainer blind make``, ``answer`` and ``score``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

blind = typer.Typer(no_args_is_help=True, help="Compare two ways of making pictures by eyes that do not know which is which.")
Folder = Annotated[Path, typer.Argument(help="Folder with the sheet, its key and the answers.")]


@blind.command()
def make(
    first: Annotated[Path, typer.Argument(help="Folder of pictures made in one way.")],
    second: Annotated[Path, typer.Argument(help="Folder of the same pictures, by name, made in another way.")],
    out: Annotated[Path, typer.Option(help="Folder for the sheet, its key and the answers.")],
    beside: Annotated[list[Path] | None, typer.Option(help="Folder of pictures to show beside each pair; repeatable.")] = None,
    most: Annotated[int, typer.Option(min=1, help="Pairs at most, drawn by chance.")] = 20,
    seed: Annotated[int | None, typer.Option(help="For the same order again; else by chance.")] = None,
) -> None:
    """Shuffle pairs of pictures into a sheet, with its key apart."""
    import numpy as np  # the imports are here so that `trainer --help` does not wait for OpenCV

    from trainer.blind.sheet import SHEET, read_pairs, write_sheet

    rng = np.random.default_rng(seed)
    pairs = read_pairs(first, second, beside or [])
    chosen = rng.permutation(len(pairs))[:most]
    write_sheet([pairs[place] for place in chosen], (first.name, second.name), out, rng)
    typer.echo(f"{out / SHEET}: {len(chosen)} pairs. What A and B are, stands in the key; who answers does not look at it.")


@blind.command()
def answer(
    folder: Folder,
    by: Annotated[str, typer.Option(help="Who answers.")],
    answers: Annotated[str | None, typer.Option(help='All answers at once, like "A B! A? …"; else each is asked for.')] = None,
) -> None:
    """Record for each pair which one is better: A or B, "A!" if it is clear, "A?" if it is a coin's toss."""
    from trainer.blind.answers import Answer, parse_answer, read_key, record  # late, for the same reason

    given: list[Answer] = [parse_answer(text) for text in (answers or "").split()]
    if answers is None:
        pairs = len(read_key(folder)["pairs"])
        given = [typer.prompt(f"{number} of {pairs}", value_proc=parse_answer) for number in range(1, pairs + 1)]
    record(folder, by, given)
    typer.echo(f"Recorded: {len(given)} answers by {by}.")


@blind.command()
def score(folder: Folder) -> None:
    """Tell how often the second way was chosen, and whether guessing would get as far."""
    from trainer.blind.answers import scores  # late, for the same reason

    for person, one in scores(folder).items():
        typer.echo(f"{person}: {one}")
