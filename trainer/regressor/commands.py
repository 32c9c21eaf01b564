"""``python -m trainer examples``, ``regressor`` and ``export-regressor``: what it learns from, its training, its export."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import ConfigError, InputError
from engine.regress.network import REGRESSOR
from trainer.command_line import parse_set, sizes_in
from trainer.requirements import needs_packages

if TYPE_CHECKING:
    from trainer.regressor.config import RegressorConfig
    from trainer.regressor.examples import Example, ExampleSet
    from trainer.regressor.network import RegressorNet


def examples(
    out: Annotated[Path, typer.Argument(help="Folder of the set.")],
    synthetic: Annotated[int, typer.Option(min=0, help="So many synthetic heads.")] = 0,
    shards: Annotated[Path | None, typer.Option(help="Crops made by `prepare`: the landmark geometry is their teacher.")] = None,
    portrait: Annotated[
        list[Path] | None, typer.Option(help="A photograph to animate, or a folder of them; may be given several times.")
    ] = None,
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


@needs_packages
def regressor(
    sets: Annotated[
        list[str], typer.Argument(help="Folders of example sets, each with an optional share: FOLDER or FOLDER:0.3.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the run; a run that is there goes on.")],
    config: Annotated[Path | None, typer.Option(help="Settings (TOML); see docs/regressor.md.")] = None,
    weights: Annotated[Path | None, typer.Option(help="ImageNet weights of the backbone (.pth).")] = None,
    start_from: Annotated[
        Path | None, typer.Option(help="Start a fresh run from an exported network's folder, or another run's last.pt.")
    ] = None,
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
    from trainer.regressor.batches import RegressorMixture
    from trainer.regressor.config import RegressorConfig
    from trainer.regressor.examples import open_examples
    from trainer.regressor.objective import objective_of
    from trainer.regressor.training import RegressorTraining, take_weights
    from trainer.training.config import read_config
    from trainer.training.distributed import process_group
    from trainer.training.loop import LAST, train

    changes = {
        "backbone": backbone, "size": size, "images": images, "batch": batch, "rate": rate, "seed": seed, "threads": threads,
        "identity": identity,
    }  # fmt: skip
    settings = read_config(RegressorConfig, config, changes)
    folders, shares = zip(*(parse_set(text) for text in sets), strict=True)
    opened = [open_examples(folder) for folder in folders]
    if start_from is not None and (out / LAST).exists():
        raise ConfigError(f"{out} has begun already, and --start-from is for a fresh run: leave it out, or take another folder.")
    network = start(settings, opened, weights)
    if start_from is not None:
        take_weights(network, start_from)
    with process_group() as together:
        head = load_head()
        training = RegressorTraining(network, settings, together)
        mixture = RegressorMixture(opened, shares, mirror_of(head), settings.seed, settings.size)
        train(training, mixture, objective_of(settings, head), out)


@needs_packages
def export_regressor(
    checkpoint: Annotated[Path, typer.Argument(help="last.pt of a run.")],
    out: Annotated[Path, typer.Option(help="Folder of the exported network.")] = REGRESSOR,
    portrait: Annotated[
        list[Path] | None,
        typer.Option(help="A photograph that was not learned from: it tells how far the network is to be believed; repeatable."),
    ] = None,
    each: Annotated[int, typer.Option(min=1, help="Moments of each portrait.")] = 60,
) -> None:
    """Export a trained regressor to ONNX, with the manifest, the shares and the self-test that the camera needs."""
    from trainer.regressor.export import write_export  # here, for the same reason

    write_export(checkpoint, out, portrait or [], each, typer.echo)
    typer.echo(f"{out}: {sizes_in(out)}")


def start(settings: RegressorConfig, sets: list[ExampleSet], weights: Path | None) -> RegressorNet:
    """The untrained network, the same in every process."""
    import numpy as np
    import torch

    from trainer.regressor.network import RegressorNet

    torch.manual_seed(settings.seed)
    network = RegressorNet(settings.backbone, settings.size, weights)
    network.normalise_by(np.concatenate([one.z for one in sets]))
    return network


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
    from trainer.data.inputs import photographs_in
    from trainer.data.recipe import refuse_held_out
    from trainer.regressor.make import from_portrait, usable_portraits

    files = photographs_in(paths)
    refuse_held_out([str(file) for file in files])
    with Animator("onnxruntime", fixed=True) as animator:
        for person, portrait in usable_portraits(files, typer.echo):
            yield from from_portrait(animator, portrait, person, each, seed)
