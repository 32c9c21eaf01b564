"""``python -m trainer generator``: trains the generator (docs/training.md)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from engine.generator.far import FarGenerator
    from trainer.generator.config import GeneratorConfig
    from trainer.generator.objective import Judges


def generator(
    sets: Annotated[list[str], typer.Argument(help="Folders of scenes, each with an optional share: FOLDER or FOLDER:0.3.")],
    out: Annotated[Path, typer.Option(help="Folder of the run; a run that is there goes on.")],
    config: Annotated[Path | None, typer.Option(help="Settings (TOML); see docs/training.md.")] = None,
    features: Annotated[Path | None, typer.Option(help="EfficientNet-Lite0's weights (.pth), for the perceptual term.")] = None,
    regressor: Annotated[Path | None, typer.Option(help="A regressor's checkpoint (last.pt), for the mesh term.")] = None,
    identity: Annotated[Path | None, typer.Option(help="An identity network (.dat, .pth, .safetensors), for L_ID.")] = None,
    variant: Annotated[str | None, typer.Option(help="live (the camera's) or paper.")] = None,
    images: Annotated[int | None, typer.Option(help="Length of the training.")] = None,
    batch: Annotated[int | None, typer.Option(help="Pictures a step, over all processes.")] = None,
    rate: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    precision: Annotated[str | None, typer.Option(help="float32, bfloat16 or float16.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything random.")] = None,
    threads: Annotated[int | None, typer.Option(help="Of torch on a CPU; 0 = its own choice.")] = None,
) -> None:
    """Train the generator on scenes made by `scenes`."""
    # the imports are here so that `trainer --help` does not wait for torch
    from engine.head import load_head
    from trainer.generator.batches import Mixture
    from trainer.generator.config import GeneratorConfig
    from trainer.generator.loop import train, variant_of
    from trainer.generator.objective import Objective
    from trainer.generator.run import Training
    from trainer.generator.scenes import SceneFolder
    from trainer.regressor.augment import mirror_of
    from trainer.regressor.command import parse_set
    from trainer.training.distributed import team
    from trainer.training.settings import read_settings

    changes = {
        "variant": variant, "images": images, "batch": batch, "rate": rate, "precision": precision, "seed": seed,
        "threads": threads,
    }  # fmt: skip
    settings = read_settings(GeneratorConfig, config, changes)
    folders, shares = zip(*(parse_set(text) for text in sets), strict=True)
    opened, head = [SceneFolder(folder) for folder in folders], load_head()
    objective = Objective(settings, head, open_judges(settings, features, regressor, identity))
    mixture = Mixture(
        opened,
        shares,
        mirror_of(head),
        seed=settings.seed,
        variant=variant_of(settings.variant, flow=settings.flow),
        window=settings.window,
    )
    with team() as together:
        train(Training(start(settings), settings, together), mixture, objective, out)


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
