"""``python -m trainer scenes``, ``generator`` and ``export``: what the generator learns from, its training, its bundle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from engine.errors import ConfigError, InputError
from engine.files import write_text
from engine.generator.variants import VARIANTS
from trainer.command_line import parse_set, sizes_in
from trainer.requirements import needs_packages

if TYPE_CHECKING:
    from engine.generator.far import FarGenerator
    from trainer.generator.config import GeneratorConfig
    from trainer.generator.objective import LossNetworks


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
    from trainer.generator.jobs import SceneJob, make_scenes, photograph_jobs, series_jobs, synthetic_jobs

    jobs = synthetic_jobs(synthetic)
    jobs += series_jobs(shards, per_series) if shards is not None else []
    jobs += photograph_jobs(photographs, per_photograph) if photographs else []
    if not jobs:
        raise InputError("Nothing to make scenes of: give --synthetic, --shards or --photographs.")
    columns = (TextColumn("scenes"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("scenes", total=len(jobs))

        def tick(job: SceneJob, good: bool) -> None:
            progress.advance(task)
            if not good:
                progress.console.print(f"no face: {job.what or 'synthetic'} {job.index}")

        made = make_scenes(out, jobs, moments=moments, seed=seed, workers=workers, done=tick)
    typer.echo(f"{out}: {made} scenes of {len(jobs)} sources")


INIT = "init.txt"  # in the run's folder: what StyleGAN2's weights filled
PAPERS_BATCH, PLANNED_IMAGES = 32, 10_000_000  # of a plan, where nothing else is said


@needs_packages
def generator(
    sets: Annotated[
        list[str] | None, typer.Argument(help="Folders of scenes, each with an optional share: FOLDER or FOLDER:0.3.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run; a run that is there goes on.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings (TOML); see docs/training.md.")] = None,
    features: Annotated[Path | None, typer.Option(help="EfficientNet-Lite0's weights (.pth), for the perceptual term.")] = None,
    regressor: Annotated[Path | None, typer.Option(help="A regressor's checkpoint (last.pt), for the mesh term.")] = None,
    identity: Annotated[Path | None, typer.Option(help="An identity network (.dat, .pth, .safetensors), for L_ID.")] = None,
    init_stylegan2: Annotated[
        Path | None, typer.Option("--init-stylegan2", help="Start from StyleGAN2's weights (.pkl, .pt).")
    ] = None,
    start_from: Annotated[Path | None, typer.Option(help="Start from another run's last.pt: its averaged weights.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only print what it would take; needs no sets.")] = False,
    gpus: Annotated[int, typer.Option(min=1, help="For --plan: so many GPUs.")] = 8,
    price: Annotated[float | None, typer.Option(min=0, help="For --plan: what a GPU costs an hour, in any currency.")] = None,
    videos: Annotated[int, typer.Option(min=0, help="For --plan: so many videos are to be prepared.")] = 0,
    seconds: Annotated[float, typer.Option(min=0.1, help="For --plan: the length of each [s].")] = 8.0,
    gpu: Annotated[str, typer.Option(help="For --plan: which; an unknown name tells those there are.")] = "V100",
    variant: Annotated[str | None, typer.Option(help="live (the camera's) or paper.")] = None,
    images: Annotated[int | None, typer.Option(help="Length of the training.")] = None,
    batch: Annotated[int | None, typer.Option(help="Pictures a step, over all processes; for --plan 32, the paper's.")] = None,
    rate: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    precision: Annotated[str | None, typer.Option(help="float32, bfloat16 or float16.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything random.")] = None,
    threads: Annotated[int | None, typer.Option(help="Of torch on a CPU; 0 = its own choice.")] = None,
) -> None:
    """Train the generator on scenes made by `scenes`."""
    # the imports are here so that `trainer --help` does not wait for torch
    from rich.console import Console

    from trainer.generator.config import GeneratorConfig
    from trainer.generator.data_plan import DataPlan
    from trainer.generator.planning import show_plan
    from trainer.training.config import read_config

    changes = {
        "variant": variant, "images": images, "batch": batch, "rate": rate, "precision": precision, "seed": seed,
        "threads": threads,
    }  # fmt: skip
    if plan:
        as_planned = {"batch": PAPERS_BATCH, "images": PLANNED_IMAGES} if config is None else {}
        given = {name: value for name, value in changes.items() if value is not None}
        planned, data = read_config(GeneratorConfig, config, as_planned | given), DataPlan(videos, seconds) if videos else None
        show_plan(planned, gpus, gpu, identity, Console(), price=price, data=data)
        return
    if not sets or out is None:
        raise ConfigError("Wanted the folders of scenes to learn from and --out, the run's folder; or --plan alone.")
    settings = read_config(GeneratorConfig, config, changes)
    if init_stylegan2 is not None and start_from is not None:
        raise ConfigError("Of --init-stylegan2 and --start-from, which both say where to begin, give one.")
    networks = open_loss_networks(settings, features, regressor, identity)
    run(settings, [parse_set(text) for text in sets], out, networks, init_stylegan2, start_from)


def run(
    settings: GeneratorConfig,
    sets: Sequence[tuple[Path, float]],
    out: Path,
    networks: LossNetworks,
    stylegan2: Path | None,
    other: Path | None,
) -> None:
    """Trains, or goes on. ``sets``: folders of scenes and their shares; ``stylegan2``, ``other``: weights of StyleGAN2 or another
    run's checkpoint that a fresh run starts from."""
    from engine.head import load_head
    from trainer.data.mirror import mirror_of
    from trainer.generator.batches import GeneratorMixture
    from trainer.generator.objective import GeneratorObjective
    from trainer.generator.scenes import SceneFolder
    from trainer.generator.training import GeneratorTraining, take_average, variant_of
    from trainer.training.distributed import process_group
    from trainer.training.loop import LAST, train

    if (stylegan2 or other) is not None and (out / LAST).exists():
        option = "--start-from" if stylegan2 is None else "--init-stylegan2"
        raise ConfigError(
            f"{out} has begun already, and {option} is for a fresh run: leave it out to go on, or take another folder."
        )
    head, opened = load_head(), [SceneFolder(folder) for folder, _ in sets]
    objective = GeneratorObjective(settings, head, networks)
    mixture = GeneratorMixture(
        opened,
        [share for _, share in sets],
        mirror_of(head),
        seed=settings.seed,
        variant=variant_of(settings.variant, flow=settings.flow),
        window=settings.window,
        on_components=settings.on_components,
        candidates=settings.candidates,
    )
    with process_group() as together:
        network = start(settings)
        if stylegan2 is not None:
            begin_from(network, stylegan2, out if together.leads else None)
        if other is not None:
            take_average(network, other)
        train(GeneratorTraining(network, settings, together), mixture, objective, out)


def begin_from(network: FarGenerator, stylegan2: Path, out: Path | None) -> None:
    """Fills a fresh generator, and tells what was copied, also in the run's folder ``out``. Raises InputError."""
    from trainer.stylegan2 import initialise

    lines = initialise(network, stylegan2).lines()
    if out is not None:
        typer.echo("\n".join(lines))
        out.mkdir(parents=True, exist_ok=True)
        write_text(out / INIT, "".join(f"{line}\n" for line in lines))


def start(settings: GeneratorConfig) -> FarGenerator:
    """The generator that hands the priors through, the same in every process."""
    import torch

    from engine.generator.far import FarGenerator
    from trainer.generator.training import variant_of

    torch.manual_seed(settings.seed)
    return FarGenerator(variant_of(settings.variant, flow=settings.flow))


def open_loss_networks(
    settings: GeneratorConfig, features: Path | None, regressor: Path | None, identity: Path | None
) -> LossNetworks:
    """The networks that terms with a weight need, as far as they are given."""
    from trainer.generator.objective import LossNetworks
    from trainer.generator.perceptual import Perceptual
    from trainer.identity import open_identity
    from trainer.regressor.training import load_average

    return LossNetworks(
        Perceptual(features) if features is not None and settings.weight("perceptual") else None,
        load_average(regressor) if regressor is not None and settings.weight("mesh") else None,
        open_identity(identity) if identity is not None and settings.weight("identity") else None,
    )


@needs_packages
def export(
    checkpoint: Annotated[
        Path | None, typer.Option(help="A run's last.pt: its averaged weights. Without it the untrained start.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="A sentence for the manifest: what the run learned from.")] = None,
    hours: Annotated[float | None, typer.Option(help="How long it trained, if not as long as the run itself counted.")] = None,
    variant: Annotated[str | None, typer.Option(help=f"Which untrained start: {', '.join(VARIANTS)}; else live.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the bundle; by default engine/assets/VARIANT.")] = None,
) -> None:
    """Export a generator to ONNX, with the manifest and the self-test that the camera checks."""
    from trainer.generator.export import export_generator  # here, for the same reason

    folder = export_generator(checkpoint, data, hours, variant, out)
    typer.echo(f"{folder}: {sizes_in(folder)}")
