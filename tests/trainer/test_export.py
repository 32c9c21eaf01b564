"""Exporting: ONNX equals torch, the bundle is reproducible, trained weights come through."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import typer
from onnx import numpy_helper
from safetensors.torch import save_file
from typer.testing import CliRunner

from engine.errors import ConfigError, InputError
from engine.generator.far import FarGenerator
from engine.generator.graphs import GRAPHS, HALF_SUFFIX, PREFIX, FrameGraph, Graph, SourceGraph
from engine.generator.live import Generator, make_guide
from engine.generator.variants import LIVE, TINY_LIVE, TINY_PAPER
from engine.runtime.bundle import LIVE_BUNDLE, read_bundle
from engine.runtime.sessions import probe
from engine.values import COEFFICIENTS
from tests.engine.generator import scenes
from tests.engine.generator.exported import bundle
from trainer import export

MIX = torch.tensor([[0.9, 0.1, 0], [0, 0.8, 0.1], [0.1, 0, 1]])
WITHOUT_PRIORS = replace(TINY_PAPER, size=8, guide_size=8, blocks=TINY_PAPER.blocks[:2], flow_prior=False, picture_prior=False)


@pytest.fixture(scope="module")
def commanded(tmp_path_factory: pytest.TempPathFactory) -> tuple[FarGenerator, Path]:
    """A trained paper variant and the bundle that the command makes of its weights."""
    folder, generator = tmp_path_factory.mktemp("commanded"), scenes.made(TINY_PAPER, trained=True)
    generator.picture_mix.copy_(MIX)
    export.round_to_halves(generator)
    save_file(generator.state_dict(), folder / "weights.safetensors")
    app = typer.Typer()
    app.command()(export.export)
    options = ["--variant", "tiny-paper", "--weights", str(folder / "weights.safetensors"), "--out", str(folder / "bundle")]
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 0, result.output
    assert "frame.onnx" in result.output
    return generator, folder / "bundle"


def agreement(graph: Graph, path: Path) -> float:
    """The lowest agreement of any output, ONNX Runtime against torch [dB]."""
    feeds = probe({key: tuple(value.shape) for key, value in graph.example().items()})
    session = onnxruntime.InferenceSession(str(path))
    got = session.run(None, {port.name: feeds[port.name] for port in session.get_inputs()})
    with torch.inference_mode():
        wanted = [values.numpy() for values in graph(*(torch.from_numpy(feeds[name]) for name in graph.example()))]
    return min(scenes.decibels(ours, theirs, float(np.ptp(theirs)) or 1.0) for ours, theirs in zip(got, wanted, strict=True))


def bundle_agreement(generator: FarGenerator, folder: Path) -> float:
    return min(agreement(kind(generator), folder / f"{name}.onnx") for name, kind in GRAPHS.items())


def test_onnx_equals_torch() -> None:
    assert bundle_agreement(*bundle(TINY_LIVE)) >= 60


def test_onnx_equals_torch_without_priors(tmp_path: Path) -> None:
    """Only the frame's graph: the other one knows nothing of priors."""
    graph = FrameGraph(scenes.made(WITHOUT_PRIORS, trained=True))
    export.round_to_halves(graph.generator)
    export.write_graph(graph, tmp_path / "frame.onnx")
    assert agreement(graph, tmp_path / "frame.onnx") >= 60


def test_the_commands_onnx_equals_torch(commanded: tuple[FarGenerator, Path]) -> None:
    assert bundle_agreement(*commanded) >= 60


def filled(path: Path, generator: FarGenerator, out: Path) -> Path:
    """The graph with this generator's weights instead of its own."""
    model, values = onnx.load(path), {f"{PREFIX}{name}": p.numpy() for name, p in generator.named_parameters()}
    for stored in model.graph.initializer:
        name = stored.name.removesuffix(HALF_SUFFIX)
        if name in values:
            kind = np.float32 if name == stored.name else np.float16
            stored.CopyFrom(numpy_helper.from_array(values[name].astype(kind), stored.name))
    onnx.save(model, out)
    return out


def test_the_committed_bundle_is_the_live_generator(tmp_path: Path) -> None:
    """Compared by value, for another version of the exporter may write another file: untrained, and with something to say."""
    untrained, trained = export.untrained(LIVE), scenes.made(LIVE, trained=True)
    for generator in (untrained, trained):
        export.round_to_halves(generator)
    assert bundle_agreement(untrained, LIVE_BUNDLE) >= 60
    frame = filled(LIVE_BUNDLE / "frame.onnx", trained, tmp_path / "frame.onnx")
    assert agreement(FrameGraph(trained), frame) >= 60


def test_exporting_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    generator, folder = bundle(TINY_LIVE)
    export.write_graph(SourceGraph(generator), tmp_path / "source.onnx")
    assert (tmp_path / "source.onnx").read_bytes() == (folder / "source.onnx").read_bytes()


@pytest.mark.parametrize("name", ["tiny-live", "tiny-paper"])
def test_live_use_of_a_bundle_makes_the_picture_that_torch_makes(name: str, commanded: tuple[FarGenerator, Path]) -> None:
    generator, folder = commanded if name == "tiny-paper" else bundle(TINY_LIVE)
    variant = generator.variant
    scene = scenes.moving(variant.size)
    live = Generator(folder, engine="onnxruntime", threads=1)
    live.set_source(scene.foreground, scene.matte, scene.plate, scene.photo)
    guide = make_guide(scene.render, np.ones_like(scene.matte), scene.render_weight, variant.guide_size)
    z = np.linspace(-1, 1, COEFFICIENTS, dtype=np.float32)
    got = live.generate(z, guide, scene.flow, scene.render, scene.render_weight)
    with torch.inference_mode():
        wanted = np.clip(scenes.picture(generator(*scene.tensors()).image), 0, 255)
    assert scenes.decibels(wanted, scene.photo) < 25  # the network does something
    assert scenes.decibels(got, wanted) >= 45


def test_a_trained_bundle_carries_its_mix_and_names_its_head(commanded: tuple[FarGenerator, Path]) -> None:
    _, folder = commanded
    np.testing.assert_array_equal(read_bundle(folder).picture_mix, MIX.numpy())
    assert f'"head_sha256": "{export.file_sha256(export.HEAD_ASSET)}"' in (folder / "manifest.json").read_text()


def test_weights_of_another_variant_are_refused(tmp_path: Path) -> None:
    save_file(scenes.made(TINY_PAPER).state_dict(), tmp_path / "weights.safetensors")
    with pytest.raises(InputError, match="does not hold weights of the 'tiny-live' generator"):
        export.export("tiny-live", tmp_path / "weights.safetensors", tmp_path)
    with pytest.raises(InputError, match="does not hold weights"):
        export.export("tiny-live", tmp_path / "absent.safetensors", tmp_path)


def test_an_unknown_variant_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must be one of paper, live, tiny-paper, tiny-live; got 'huge'"):
        export.export("huge", None, tmp_path)
