"""``python -m trainer evaluate generator``: the paper's experiments on held-out clips and photographs (docs/training.md)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import ConfigError

if TYPE_CHECKING:
    from trainer.generator.judge.methods import Method
    from trainer.generator.judge.panel import Panel


def evaluate_generator(
    out: Annotated[Path, typer.Option(help="Folder of the report: report.html, report.json, pictures, videos.")],
    features: Annotated[Path, typer.Option(help="EfficientNet-Lite0's weights (.pth): perceptual and Fréchet distance.")],
    identity: Annotated[Path, typer.Option(help="An identity network (.dat, .pth, .safetensors): not the one trained with.")],
    bundle: Annotated[list[str] | None, typer.Option(help="An exported bundle, FOLDER or NAME=FOLDER; repeatable.")] = None,
    checkpoint: Annotated[list[str] | None, typer.Option(help="A run's last.pt, FILE or NAME=FILE; repeatable.")] = None,
    clip: Annotated[list[Path] | None, typer.Option(help="A video that was held out; repeatable.")] = None,
    portrait: Annotated[list[Path] | None, typer.Option(help="A photograph that was held out; repeatable.")] = None,
    most: Annotated[int, typer.Option(min=4, help="Frames of a clip at most, for each experiment.")] = 60,
    threads: Annotated[int, typer.Option(min=1, help="Of torch: single pictures gain little from several.")] = 1,
) -> None:
    """Judge generators on held-out clips and portraits, beside the source copied and pure geometry."""
    # the imports are here so that `trainer --help` does not wait for torch
    import torch
    from rich.console import Console

    from trainer.generator.judge.evaluation import evaluate

    if not clip and not portrait:
        raise ConfigError("There is nothing to judge by: give --clip VIDEO, --portrait PHOTO, or both.")
    torch.set_num_threads(threads)
    panel, notes = open_panel(features, identity)
    methods = open_methods(bundle or [], checkpoint or [])
    evaluate(panel, methods, clip or [], portrait or [], out, most=most, notes=notes, console=Console())


def open_panel(features: Path, identity: Path) -> tuple[Panel, list[str]]:
    """The judges, and sentences on who they are; LPIPS and FID only with their weights on this machine. Raises InputError."""
    from engine.errors import AssetError
    from engine.head import load_head
    from engine.track import Tracker
    from trainer.generator.judge.panel import Panel
    from trainer.generator.perceptual import Perceptual
    from trainer.identity import open_identity
    from trainer.metrics.frechet import Lite0Features
    from trainer.metrics.pictures import inception_features, open_lpips

    notes = [f"Identity: {identity.name}. Where it was in the loss too, it is no independent judge."]
    panel = Panel(load_head(), Tracker("picture"), Perceptual(features), Lite0Features(features), open_identity(identity))
    try:
        panel = replace(panel, features=inception_features(), frechet="FID")
    except AssetError as error:
        notes.append(str(error))
    try:
        panel = replace(panel, lpips=open_lpips())
    except AssetError as error:
        notes.append(str(error))
    return panel, notes


def open_methods(bundles: list[str], checkpoints: list[str]) -> dict[str, Method]:
    """The baselines and what was trained, in the order of the tables; raises InputError, AssetError, ConfigError."""
    from trainer.generator.judge.methods import COPIED, GEOMETRY, Bundled, Networked, copied, geometry
    from trainer.generator.loop import load_average

    methods: dict[str, Method] = {COPIED: copied, GEOMETRY: geometry}
    for text in bundles:
        name, path = parse_named(text)
        _add(methods, name, Bundled(path))
    for text in checkpoints:
        name, path = parse_named(text)
        _add(methods, name, Networked(load_average(path), path))
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
