"""A generator becomes the bundle that the camera runs (docs/generator.md).

A bundle is ONNX and a manifest, nothing else: the graphs hold the parameters under their own names, so that a file of weights
beside them would add nothing (``engine.generator.graphs.load`` rebuilds the network from them), and neither can execute anything.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

from engine.errors import ConfigError
from engine.generator.far import FarGenerator
from engine.generator.graphs import GRAPHS, Graph
from engine.generator.manifest import TrainingRecord, read_bundle, write_bundle_manifest
from engine.generator.variants import VARIANTS, Variant
from engine.manifest import ASSETS
from engine.runtime.sessions import pick, probe
from engine.values import Floats
from trainer.generator.training import load_average
from trainer.training.checkpoint import load_checkpoint
from trainer.training.onnx_file import round_to_halves, write_onnx
from trainer.training.provenance import ABOUT, program_version

UNTRAINED_SEED = 0
HOUR_S = 3600.0


def export_generator(
    checkpoint: Path | None, data: str | None, hours: float | None, variant: str | None, out: Path | None
) -> Path:
    """Writes the bundle of a run's averaged weights, or of an untrained start, and returns its folder. Arguments as of the
    command ``export``. Raises ConfigError, InputError, AssetError."""
    if checkpoint is None:
        generator, training = untrained(_variant(variant or "live")), None
    else:
        if variant is not None or not data:
            raise ConfigError(
                "With --checkpoint give --data, a sentence on what it learned from, and no --variant, which it knows."
            )
        generator, training = load_average(checkpoint), training_of(checkpoint, data, hours)
    folder = out or ASSETS / generator.variant.name
    write_bundle(generator, folder, training)
    for graph in generator.variant.graphs:
        read_bundle(folder).open(graph)  # what the camera would refuse is refused here
    return folder


def untrained(variant: Variant) -> FarGenerator:
    """The generator that hands the priors through, always the same."""
    with torch.random.fork_rng():
        torch.manual_seed(UNTRAINED_SEED)
        return FarGenerator(variant)


def training_of(path: Path, data: str, hours: float | None) -> TrainingRecord:
    """What the manifest tells about a checkpoint; the commit is that of the run's description beside it."""
    checkpoint = load_checkpoint(path)
    counted = float(checkpoint.state.get("seconds", 0.0)) / HOUR_S
    return TrainingRecord(checkpoint.images, round(counted if hours is None else hours, 2), data, _commit(path.parent / ABOUT))


def write_bundle(generator: FarGenerator, folder: Path, training: TrainingRecord | None) -> None:
    """Write the variant's graphs and manifest.json. Rounds the generator's large parameters to half precision, in place."""
    round_to_halves(generator.eval())
    answers = {}
    for name in generator.variant.graphs:
        graph = GRAPHS[name](generator)
        write_graph(graph, folder / f"{name}.onnx")
        answers[name] = _answers(graph)
    mix = generator.picture_mix.numpy()
    write_bundle_manifest(folder, generator.variant, mix, answers, version=program_version(), training=training)


def write_graph(graph: Graph, path: Path) -> None:
    """Export one graph, with what is needed to rebuild it."""
    about = {"graph": graph.name, "variant": graph.generator.variant.to_json(), "licence": "MIT"}
    write_onnx(graph, graph.example(), graph.outputs, path, about)


def _variant(name: str) -> Variant:
    if name not in VARIANTS:
        raise ConfigError(f"The variant must be one of {', '.join(VARIANTS)}; got '{name}'.")
    return VARIANTS[name]


def _commit(about: Path) -> str | None:
    try:
        commit = json.loads(about.read_text(encoding="utf-8"))["commit"]
    except (OSError, ValueError, KeyError, TypeError):  # a checkpoint that was taken from its run
        return None
    return None if commit is None else str(commit)


def _answers(graph: Graph) -> dict[str, Floats]:
    """The self-test's right answers, by torch."""
    feeds = probe({name: tuple(value.shape) for name, value in graph.example().items()})
    with torch.inference_mode():
        outputs = graph(*(torch.from_numpy(feeds[name]) for name in graph.example()))
    return {name: pick(output.numpy()) for name, output in zip(graph.outputs, outputs, strict=True)}
