"""``python -m trainer examples`` and ``regressor``: sets for the coefficient regressor, and its training (docs/regressor.md)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import ConfigError, InputError

if TYPE_CHECKING:
    from trainer.regressor.config import RegressorConfig
    from trainer.regressor.examples import Example, ExampleSet
    from trainer.regressor.network import RegressorNet


def examples(
    out: Annotated[Path, typer.Argument(help="Folder of the set.")],
    synthetic: Annotated[int, typer.Option(min=0, help="So many synthetic heads.")] = 0,
    shards: Annotated[Path | None, typer.Option(help="Crops made by `prepare`: the landmark geometry is their teacher.")] = None,
    portrait: Annotated[list[Path] | None, typer.Option(help="A photograph to animate; may be given several times.")] = None,
    each: Annotated[int, typer.Option(min=1, help="Moments of each portrait.")] = 150,
    without: Annotated[
        list[Path] | None, typer.Option(help="A folder of photographs whose crops are to be left out; repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
) -> None:
    """Make an example set for the regressor."""
    # the imports are here so that `trainer --help` does not wait for torch and mediapipe
    from trainer.regressor.examples import write_examples

    parts: list[Iterator[Example]] = []
    if synthetic:
        parts.append(_synthetic(synthetic, seed))
    if shards is not None:
        parts.append(_prepared(shards, without or [], seed))
    if portrait:
        parts.append(_animated(portrait, each, seed))
    if not parts:
        raise InputError("Nothing to make examples of: give --synthetic, --shards or --portrait.")
    typer.echo(f"{out}: {write_examples(out, (example for part in parts for example in part))} examples")


def regressor(
    sets: Annotated[
        list[str], typer.Argument(help="Folders of example sets, each with an optional share: FOLDER or FOLDER:0.3.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the run; a run that is there goes on.")],
    config: Annotated[Path | None, typer.Option(help="Settings (TOML); see docs/regressor.md.")] = None,
    weights: Annotated[Path | None, typer.Option(help="ImageNet weights of the backbone (.pth).")] = None,
    backbone: Annotated[str | None, typer.Option(help="lite0 (the camera's) or resnet50 (the paper's).")] = None,
    size: Annotated[int | None, typer.Option(help="Picture size [px], a multiple of 32.")] = None,
    images: Annotated[int | None, typer.Option(help="Length of the training.")] = None,
    batch: Annotated[int | None, typer.Option(help="Pictures a step, over all processes.")] = None,
    rate: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything random.")] = None,
    threads: Annotated[int | None, typer.Option(help="Of torch on a CPU; 0 = its own choice.")] = None,
    identity: Annotated[str | None, typer.Option(help="Identity network, for the perceptual term.")] = None,
) -> None:
    """Train the network that regresses z from a picture."""
    # the imports are here so that `trainer --help` does not wait for torch
    from engine.head import load_head
    from trainer.data.mirror import mirror_of
    from trainer.regressor.batches import Mixture
    from trainer.regressor.config import RegressorConfig
    from trainer.regressor.examples import open_examples
    from trainer.regressor.loop import Training, train
    from trainer.training.distributed import team
    from trainer.training.settings import read_settings

    changes = {
        "backbone": backbone, "size": size, "images": images, "batch": batch, "rate": rate, "seed": seed, "threads": threads,
        "identity": identity,
    }  # fmt: skip
    settings = read_settings(RegressorConfig, config, changes)
    folders, shares = zip(*(parse_set(text) for text in sets), strict=True)
    opened = [open_examples(folder) for folder in folders]
    with team() as together:
        head = load_head()
        training = Training(start(settings, opened, weights), settings, together)
        train(training, Mixture(opened, shares, mirror_of(head), settings.seed, settings.size), head, out)


def start(settings: RegressorConfig, sets: list[ExampleSet], weights: Path | None) -> RegressorNet:
    """The untrained network, the same in every process."""
    import numpy as np
    import torch

    from trainer.regressor.network import RegressorNet

    torch.manual_seed(settings.seed)
    network = RegressorNet(settings.backbone, settings.size, weights)
    network.normalise_by(np.concatenate([one.z for one in sets]))
    return network


def parse_set(text: str) -> tuple[Path, float]:
    """FOLDER or FOLDER:SHARE; raises ConfigError when the share is no number."""
    folder, colon, share = text.rpartition(":")
    if not colon or "\\" in share or "/" in share:  # a drive's colon is no share's
        return Path(text), 1.0
    try:
        return Path(folder), float(share)
    except ValueError as error:
        raise ConfigError(f"A set is given as FOLDER or FOLDER:SHARE with a number as share, got {text!r}.") from error


def _synthetic(count: int, seed: int) -> Iterator[Example]:
    from trainer.data.synthetic import SyntheticHeads
    from trainer.regressor.make import from_synthetic

    heads = SyntheticHeads(256, seed)
    return from_synthetic(heads.head, (heads.sample(k) for k in range(count)), seed)


def _prepared(folder: Path, without: list[Path], seed: int) -> Iterator[Example]:
    from engine.head import load_head
    from trainer.data.shards import ShardFolder
    from trainer.regressor.make import from_crops

    left_out = {path.resolve() for path in without}
    crops = (crop for crop in ShardFolder(folder) if Path(crop.source).resolve().parent not in left_out)
    return from_crops(load_head(), crops, seed)


def _animated(paths: list[Path], each: int, seed: int) -> Iterator[Example]:
    from engine.animator import Animator
    from trainer.regressor.make import from_portrait, usable_portraits

    animator = Animator()
    for person, portrait in usable_portraits(paths, typer.echo):
        yield from from_portrait(animator, portrait, person, each, seed)
