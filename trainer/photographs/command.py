"""``python -m trainer evaluate photographs``: people of whom there are several pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from trainer.requirements import needs_packages

ENGINE = "onnxruntime"  # the same on every machine
TILE_PX = 256


@needs_packages
def evaluate_photographs(
    person: Annotated[list[Path], typer.Argument(help="A folder of one person's pictures, the face at rest first by name.")],
    out: Annotated[Path, typer.Option(help="Folder of the report: report.md, report.json.")],
    features: Annotated[Path, typer.Option(help="EfficientNet-Lite0's weights (.pth): perceptual distance.")],
    given: Annotated[int, typer.Option(min=1, help="How many pictures after the first are given; the others are held out.")] = 5,
    show: Annotated[bool, typer.Option("--show", help="Also write a sheet of each person; never publish it.")] = False,
) -> None:
    """Evaluate an avatar from several photographs: a person's held-out pictures, drawn from one picture and from several."""
    # the imports are here so that `trainer --help` does not wait for torch
    import torch
    from rich.console import Console

    from engine.animator import Animator
    from engine.errors import InputError
    from engine.files import write_text
    from engine.values import Picture
    from trainer.data.inputs import photographs_in
    from trainer.data.sheets import save_sheet, sheet
    from trainer.generator.perceptual import Perceptual
    from trainer.photographs.evaluation import METHODS, Judged, PhotographsEvaluation, tables

    torch.set_num_threads(1)
    judged: list[Judged] = []
    tiles: list[tuple[str, Picture]] = []
    console = Console()

    def keep(name: str, pictures: Sequence[Picture]) -> None:
        tiles.extend(zip((name, *METHODS), pictures, strict=True))

    with Animator(ENGINE, fixed=True) as animator:
        evaluation = PhotographsEvaluation(animator, Perceptual(features))
        for folder in person:
            try:
                found, left_out = evaluation.person(folder.name, photographs_in([folder]), given, keep)
            except InputError as error:
                console.print(f"Left out: {error}", markup=False, highlight=False)
                continue
            judged += found
            for sentence in left_out:
                console.print(sentence, markup=False, highlight=False)
            if show:
                save_sheet(sheet(tiles, 1 + len(METHODS), TILE_PX), out / f"{folder.name}.png")
            tiles.clear()
    if not judged:
        raise InputError("None of the people can be used.")
    made = tables(judged)
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "report.md", "\n".join(table.markdown() for table in made))
    data = {"given": given, "pictures": [{"person": one.person, "measures": one.measures} for one in judged]}
    write_text(out / "report.json", json.dumps(data, indent=1))
    for table in made:
        console.print(table.markdown(), soft_wrap=True, markup=False, highlight=False)
