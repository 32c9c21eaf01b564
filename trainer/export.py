"""``python -m trainer export``: a generator becomes the bundle that the camera runs (docs/generator.md)."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Annotated

import onnx
import torch
import typer
from onnx import helper
from safetensors.torch import load_file

from engine.errors import AssetError, ConfigError, InputError
from engine.generator.far import FarGenerator
from engine.generator.graphs import GRAPHS, Graph
from engine.generator.variants import VARIANTS, Variant
from engine.runtime.bundle import ASSETS, HEAD_ASSET, file_sha256, write_manifest
from engine.runtime.sessions import pick, probe
from engine.values import Floats
from trainer.training.onnx_file import store_halves, strip_debugging

OPSET = 20  # the first with GridSample as openvino and onnxruntime both run it fast
HALF_FROM = 1024  # numbers; smaller parameters (biases) stay in single precision
UNTRAINED_SEED = 0


def export(
    variant: Annotated[str, typer.Option(help=f"Which generator: {', '.join(VARIANTS)}.")] = "live",
    weights: Annotated[Path | None, typer.Option(help="Trained weights (safetensors); without them the untrained start.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the bundle; by default engine/assets/VARIANT.")] = None,
) -> None:
    """Export a generator to ONNX, with the manifest and the self-test that the camera checks."""
    if variant not in VARIANTS:
        raise ConfigError(f"The variant must be one of {', '.join(VARIANTS)}; got '{variant}'.")
    generator = untrained(VARIANTS[variant]) if weights is None else trained(VARIANTS[variant], weights)
    folder = out or ASSETS / variant
    write_bundle(generator, folder, head_sha256=None if weights is None else file_sha256(HEAD_ASSET))
    typer.echo(f"{folder}: {', '.join(f'{path.name} {path.stat().st_size:,} bytes' for path in sorted(folder.iterdir()))}")


def untrained(variant: Variant) -> FarGenerator:
    """The generator that hands the priors through, always the same."""
    with torch.random.fork_rng():
        torch.manual_seed(UNTRAINED_SEED)
        return FarGenerator(variant)


def trained(variant: Variant, weights: Path) -> FarGenerator:
    """The generator with the weights of a safetensors file; raises InputError."""
    generator = FarGenerator(variant)
    try:
        generator.load_state_dict(load_file(weights))
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{weights} does not hold weights of the '{variant.name}' generator: {error}") from error
    return generator


def write_bundle(generator: FarGenerator, folder: Path, *, head_sha256: str | None) -> None:
    """Write source.onnx, frame.onnx and manifest.json. Rounds the generator's large parameters to half precision, in place."""
    round_to_halves(generator.eval())
    folder.mkdir(parents=True, exist_ok=True)
    answers = {}
    for name, kind in GRAPHS.items():
        graph = kind(generator)
        write_graph(graph, folder / f"{name}.onnx")
        answers[name] = _answers(graph)
    write_manifest(folder, generator.variant, generator.picture_mix.numpy(), answers, head_sha256)


def round_to_halves(generator: FarGenerator) -> None:
    """Give the large parameters the values that are stored, so that torch and the exported graphs agree exactly."""
    for parameter in generator.requires_grad_(False).parameters():
        if _is_large(parameter.numel()):
            parameter.copy_(parameter.half().float())


def write_graph(graph: Graph, path: Path) -> None:
    """Export one graph. Parameters keep their names and values (the runtimes fold the scales), large ones stored as halves."""
    example = graph.example()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it reports which of its optional packages are absent
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about torch's own deprecations inside its exporter
        program = torch.onnx.export(
            graph,
            tuple(example.values()),
            input_names=list(example),
            output_names=graph.outputs,
            opset_version=OPSET,
            dynamo=True,
            optimize=False,
            verbose=False,
        )
    if program is None:
        raise AssetError(f"torch could not export the '{graph.name}' graph.")
    model = program.model_proto
    store_halves(model, {name for name, values in graph.named_parameters() if _is_large(values.numel())})
    strip_debugging(model)
    helper.set_model_props(model, {"graph": graph.name, "variant": graph.generator.variant.to_json(), "licence": "MIT"})
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def _is_large(numbers: int) -> bool:
    return numbers >= HALF_FROM


def _answers(graph: Graph) -> dict[str, Floats]:
    """The self-test's right answers, by torch."""
    feeds = probe({name: tuple(value.shape) for name, value in graph.example().items()})
    with torch.inference_mode():
        outputs = graph(*(torch.from_numpy(feeds[name]) for name in graph.example()))
    return {name: pick(output.numpy()) for name, output in zip(graph.outputs, outputs, strict=True)}
