"""``python -m trainer evaluate generator``: the paper's experiments on held-out clips and photographs (docs/training.md)."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import ConfigError
from trainer.requirements import needs_packages

if TYPE_CHECKING:
    from engine.track import Tracker
    from trainer.generator.evaluation.methods import Method
    from trainer.generator.evaluation.models import EvaluationModels


IDENTITIES = 2  # networks at most


@needs_packages
def evaluate_generator(
    out: Annotated[Path, typer.Option(help="Folder of the report: report.html, report.json, pictures, videos.")],
    features: Annotated[Path, typer.Option(help="EfficientNet-Lite0's weights (.pth): perceptual and Fréchet distance.")],
    identity: Annotated[
        list[Path], typer.Option(help="An identity network (.dat, .pth, .safetensors): not the one trained with; or two of them.")
    ],
    bundle: Annotated[list[str] | None, typer.Option(help="An exported bundle, FOLDER or NAME=FOLDER; repeatable.")] = None,
    checkpoint: Annotated[list[str] | None, typer.Option(help="A run's last.pt, FILE or NAME=FILE; repeatable.")] = None,
    clip: Annotated[list[Path] | None, typer.Option(help="A video that was held out; repeatable.")] = None,
    portrait: Annotated[list[Path] | None, typer.Option(help="A photograph that was held out; repeatable.")] = None,
    people: Annotated[
        list[Path] | None,
        typer.Option(help="Photographs of many people, or a folder of them: measured and not shown; repeatable."),
    ] = None,
    moments: Annotated[int, typer.Option(min=1, help="Sources made of each of their photographs.")] = 4,
    most: Annotated[int, typer.Option(min=4, help="Frames of a clip at most, for each experiment.")] = 60,
    threads: Annotated[int, typer.Option(min=1, help="Of torch: single pictures gain little from several.")] = 1,
) -> None:
    """Evaluate generators on held-out clips and portraits, beside the source copied and pure geometry."""
    # the imports are here so that `trainer --help` does not wait for torch
    import torch
    from rich.console import Console

    from engine.track import Tracker
    from trainer.data.inputs import photographs_in
    from trainer.generator.evaluation.experiments import evaluate

    if not clip and not portrait and not people:
        raise ConfigError("There is nothing to evaluate on: give --clip VIDEO, --portrait PHOTO or --people FOLDER.")
    if len(identity) > IDENTITIES:
        raise ConfigError(f"Identity is told by one network or by two; got {len(identity)}.")
    torch.set_num_threads(threads)
    with Tracker("picture") as tracker, ExitStack() as opened:
        models, notes = open_models(features, identity, tracker)
        methods = open_methods(bundle or [], checkpoint or [], opened)
        many = photographs_in(people or [])
        evaluate(
            models, methods, clip or [], portrait or [], out,
            people=many, moments=moments, most=most, notes=notes, console=Console(),
        )  # fmt: skip


def open_models(features: Path, identity: list[Path], tracker: Tracker) -> tuple[EvaluationModels, list[str]]:
    """The measuring networks, and sentences on them; LPIPS and FID only with their weights on this machine. Raises InputError."""
    from engine.errors import AssetError
    from engine.head import load_head
    from trainer.generator.evaluation.models import EvaluationModels
    from trainer.generator.perceptual import Perceptual
    from trainer.identity import open_identity
    from trainer.metrics.frechet import Lite0Features
    from trainer.metrics.pictures import inception_features, open_lpips

    names = " and ".join(path.name for path in identity)
    notes = [f"Identity: {names}. Where it was in the loss too, it is no independent measure."]
    networks = tuple(open_identity(path) for path in identity)
    models = EvaluationModels(load_head(), tracker, Perceptual(features), Lite0Features(features), networks)
    try:
        models = replace(models, features=inception_features(), frechet="FID")
    except AssetError as error:
        notes.append(str(error))
    try:
        models = replace(models, lpips=open_lpips())
    except AssetError as error:
        notes.append(str(error))
    return models, notes


def open_methods(bundles: list[str], checkpoints: list[str], opened: ExitStack) -> dict[str, Method]:
    """The baselines and what was trained, in the order of the tables; ``opened`` closes them.

    Raises InputError, AssetError, ConfigError.
    """
    from trainer.generator.evaluation.methods import COPIED, GEOMETRY, BundleMethod, TorchMethod, copied, geometry
    from trainer.generator.training import load_average

    methods: dict[str, Method] = {COPIED: copied, GEOMETRY: geometry}
    for text in bundles:
        name, path = parse_named(text)
        _add(methods, name, opened.enter_context(BundleMethod(path)))
    for text in checkpoints:
        name, path = parse_named(text)
        _add(methods, name, TorchMethod(load_average(path), path))
    return methods


def parse_named(text: str) -> tuple[str, Path]:
    """NAME=PATH, or PATH, which is then named by its last folder."""
    name, found, path = text.rpartition("=")
    where = Path(path)
    return (name if found else (where.parent.name if where.suffix else where.name) or path), where


def _add(methods: dict[str, Method], name: str, method: Method) -> None:
    if name in methods:
        raise ConfigError(f"Two methods are called '{name}': name them, as in NAME=PATH.")
    methods[name] = method
