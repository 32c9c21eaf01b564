"""``python -m trainer generator``: trains the generator (docs/training.md)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import ConfigError
from trainer.regressor.command import parse_set

if TYPE_CHECKING:
    from engine.generator.far import FarGenerator
    from trainer.generator.config import GeneratorConfig
    from trainer.generator.objective import Judges

INIT = "init.txt"  # in the run's folder: what StyleGAN2's weights filled
PAPERS_BATCH, PLANNED_IMAGES = 32, 10_000_000  # of a plan, where nothing else is said


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
    from trainer.generator.planning import show_plan
    from trainer.training.settings import read_settings

    changes = {
        "variant": variant, "images": images, "batch": batch, "rate": rate, "precision": precision, "seed": seed,
        "threads": threads,
    }  # fmt: skip
    if plan:
        as_planned = {"batch": PAPERS_BATCH, "images": PLANNED_IMAGES} if config is None else {}
        given = {name: value for name, value in changes.items() if value is not None}
        show_plan(read_settings(GeneratorConfig, config, as_planned | given), gpus, gpu, identity, Console())
        return
    if not sets or out is None:
        raise ConfigError("Wanted the folders of scenes to learn from and --out, the run's folder; or --plan alone.")
    settings = read_settings(GeneratorConfig, config, changes)
    if init_stylegan2 is not None and start_from is not None:
        raise ConfigError("Of --init-stylegan2 and --start-from, which both say where to begin, give one.")
    judges = open_judges(settings, features, regressor, identity)
    run(settings, [parse_set(text) for text in sets], out, judges, init_stylegan2, start_from)


def run(
    settings: GeneratorConfig,
    sets: Sequence[tuple[Path, float]],
    out: Path,
    judges: Judges,
    stylegan2: Path | None,
    other: Path | None,
) -> None:
    """Trains, or goes on. ``sets``: folders of scenes and their shares; ``stylegan2``, ``other``: weights of StyleGAN2 or another
    run's checkpoint that a fresh run starts from."""
    from engine.head import load_head
    from trainer.data.mirror import mirror_of
    from trainer.generator.batches import Mixture
    from trainer.generator.loop import LAST, take_average, train, variant_of
    from trainer.generator.objective import Objective
    from trainer.generator.run import Training
    from trainer.generator.scenes import SceneFolder
    from trainer.training.distributed import team

    if (stylegan2 or other) is not None and (out / LAST).exists():
        option = "--start-from" if stylegan2 is None else "--init-stylegan2"
        raise ConfigError(
            f"{out} has begun already, and {option} is for a fresh run: leave it out to go on, or take another folder."
        )
    head, opened = load_head(), [SceneFolder(folder) for folder, _ in sets]
    objective = Objective(settings, head, judges)
    mixture = Mixture(
        opened,
        [share for _, share in sets],
        mirror_of(head),
        seed=settings.seed,
        variant=variant_of(settings.variant, flow=settings.flow),
        window=settings.window,
        on_components=settings.on_components,
        candidates=settings.candidates,
    )
    with team() as together:
        network = start(settings)
        if stylegan2 is not None:
            begin_from(network, stylegan2, out if together.leads else None)
        if other is not None:
            take_average(network, other)
        train(Training(network, settings, together), mixture, objective, out)


def begin_from(network: FarGenerator, stylegan2: Path, out: Path | None) -> None:
    """Fills a fresh generator, and tells what was copied, also in the run's folder ``out``. Raises InputError."""
    from trainer.stylegan2 import initialise

    lines = initialise(network, stylegan2).lines()
    if out is not None:
        typer.echo("\n".join(lines))
        out.mkdir(parents=True, exist_ok=True)
        (out / INIT).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def start(settings: GeneratorConfig) -> FarGenerator:
    """The generator that hands the priors through, the same in every process."""
    import torch

    from engine.generator.far import FarGenerator
    from trainer.generator.loop import variant_of

    torch.manual_seed(settings.seed)
    return FarGenerator(variant_of(settings.variant, flow=settings.flow))


def open_judges(settings: GeneratorConfig, features: Path | None, regressor: Path | None, identity: Path | None) -> Judges:
    """The networks that terms with a weight need, as far as they are given."""
    from trainer.generator.objective import Judges
    from trainer.generator.perceptual import Perceptual
    from trainer.identity import open_identity
    from trainer.regressor.loop import load_average

    return Judges(
        Perceptual(features) if features is not None and settings.weight("perceptual") else None,
        load_average(regressor) if regressor is not None and settings.weight("mesh") else None,
        open_identity(identity) if identity is not None and settings.weight("identity") else None,
    )
