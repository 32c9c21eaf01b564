"""Exporting: ONNX equals torch, the bundle is reproducible, trained weights come through."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
import typer
from safetensors.torch import save_file
from typer.testing import CliRunner

from engine.errors import ConfigError, InputError
from engine.generator.far import FarGenerator
from engine.generator.graphs import GRAPHS, FrameGraph
from engine.generator.live import Generator, make_guide
from engine.generator.variants import LIVE, TINY_LIVE, TINY_PAPER, Variant
from engine.runtime.bundle import LIVE_BUNDLE, read_bundle
from engine.runtime.sessions import probe
from engine.values import COEFFICIENTS
from tests.engine.generator import scenes
from tests.engine.generator.exported import bundle
from trainer import export


def worst_decibels(generator: FarGenerator, folder: Path) -> float:
    """The lowest agreement of any output of both graphs, ONNX Runtime against torch."""
    worst = 200.0
    for name, kind in GRAPHS.items():
        graph = kind(generator)
        feeds = probe({key: tuple(value.shape) for key, value in graph.example().items()})
        session = onnxruntime.InferenceSession(str(folder / f"{name}.onnx"))
        got = session.run(None, {port.name: feeds[port.name] for port in session.get_inputs()})
        with torch.inference_mode():
            wanted = graph(*(torch.from_numpy(values) for values in feeds_in_order(feeds, graph.example())))
        for ours, theirs in zip(got, wanted, strict=True):
            worst = min(worst, scenes.decibels(ours, theirs.numpy(), peak=float(np.ptp(theirs.numpy())) or 1.0))
    return worst


def feeds_in_order(feeds: dict[str, np.ndarray], example: dict[str, torch.Tensor]) -> list[np.ndarray]:
    return [feeds[name] for name in example]


@pytest.mark.parametrize(
    "variant",
    [LIVE, TINY_LIVE, TINY_PAPER, replace(TINY_PAPER, flow_prior=False, picture_prior=False)],
    ids=["live", "tiny-live", "tiny-paper", "tiny-paper-without-priors"],
)
def test_onnx_equals_torch(variant: Variant) -> None:
    assert worst_decibels(*bundle(variant)) >= 60


def test_the_committed_bundle_is_the_untrained_live_generator() -> None:
    """Compared by value: another version of the exporter may write another file."""
    generator = export.untrained(LIVE)
    export.round_to_halves(generator)
    assert worst_decibels(generator, LIVE_BUNDLE) >= 60


def test_exporting_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    generator, folder = bundle(TINY_LIVE)
    export.write_graph(FrameGraph(generator), tmp_path / "frame.onnx")
    assert (tmp_path / "frame.onnx").read_bytes() == (folder / "frame.onnx").read_bytes()


@pytest.mark.parametrize("variant", [TINY_LIVE, TINY_PAPER], ids=lambda v: v.name)
def test_live_use_of_a_bundle_makes_the_picture_that_torch_makes(variant: Variant) -> None:
    generator, folder = bundle(variant)
    scene = scenes.moving(variant.size)
    live = Generator(folder, backend="onnxruntime", threads=1)
    live.set_source(scene.foreground, scene.matte, scene.plate, scene.photo)
    guide = make_guide(scene.render, np.ones_like(scene.matte), scene.render_weight, variant.guide_size)
    z = np.linspace(-1, 1, COEFFICIENTS, dtype=np.float32)
    got = live.generate(z, guide, scene.flow, scene.render, scene.render_weight)
    with torch.inference_mode():
        wanted = np.clip(scenes.picture(generator(*scene.tensors()).image), 0, 255)
    assert scenes.decibels(wanted, scene.photo) < 25  # the network does something
    assert scenes.decibels(got, wanted) >= 45


def test_the_command_exports_trained_weights_and_names_their_head(tmp_path: Path) -> None:
    generator, _ = bundle(TINY_PAPER)
    mix = torch.tensor([[0.9, 0.1, 0], [0, 0.8, 0.1], [0.1, 0, 1]])
    weights = tmp_path / "weights.safetensors"
    save_file(generator.state_dict() | {"picture_mix": mix}, weights)
    app = typer.Typer()
    app.command()(export.export)
    result = CliRunner().invoke(app, ["--variant", "tiny-paper", "--weights", str(weights), "--out", str(tmp_path / "bundle")])
    assert result.exit_code == 0, result.output
    assert "frame.onnx" in result.output
    np.testing.assert_array_equal(read_bundle(tmp_path / "bundle").picture_mix, mix.numpy())
    assert worst_decibels(generator, tmp_path / "bundle") >= 60
    assert f'"head_sha256": "{export.file_sha256(export.HEAD_ASSET)}"' in (tmp_path / "bundle" / "manifest.json").read_text()


def test_weights_of_another_variant_are_refused(tmp_path: Path) -> None:
    save_file(scenes.made(TINY_PAPER).state_dict(), tmp_path / "weights.safetensors")
    with pytest.raises(InputError, match="does not hold weights of the 'tiny-live' generator"):
        export.export("tiny-live", tmp_path / "weights.safetensors", tmp_path)
    with pytest.raises(InputError, match="does not hold weights"):
        export.export("tiny-live", tmp_path / "absent.safetensors", tmp_path)


def test_an_unknown_variant_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must be one of paper, live, tiny-paper, tiny-live; got 'huge'"):
        export.export("huge", None, tmp_path)
