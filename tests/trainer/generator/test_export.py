"""Exporting: ONNX equals torch, the bundle is reproducible, a run's averaged weights come through, with where they come from."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import typer
from onnx import numpy_helper
from typer.testing import CliRunner

from engine.errors import ConfigError, InputError
from engine.generator.far import FarGenerator
from engine.generator.graphs import GRAPHS, HALF_SUFFIX, PREFIX, FrameGraph, Graph, SourceGraph, load
from engine.generator.live import Generator, make_guide
from engine.generator.manifest import LIVE_BUNDLE, read_bundle
from engine.generator.variants import LIVE, TINY_LIVE, TINY_PAPER
from engine.head import OPEN_HEAD
from engine.manifest import file_sha256
from engine.runtime.sessions import probe
from engine.values import COEFFICIENTS
from tests.engine.generator import scenes
from tests.engine.generator.exported import bundle
from trainer.generator import commands, export
from trainer.generator.training import SUB_PIXELS_APART, load_average
from trainer.training.checkpoint import Checkpoint, save_checkpoint
from trainer.training.onnx_file import round_to_halves
from trainer.training.provenance import ABOUT

MIX = torch.tensor([[0.9, 0.1, 0], [0, 0.8, 0.1], [0.1, 0, 1]])
WITHOUT_PRIORS = replace(TINY_PAPER, size=8, guide_size=8, blocks=TINY_PAPER.blocks[:2], flow_prior=False, picture_prior=False)


def save_run(folder: Path, generator: FarGenerator) -> Path:
    """The checkpoint of a run that ends with this average."""
    settings = {"variant": generator.variant.name, "flow": True}
    state = {"average": generator.state_dict(), "seconds": 5400.0}
    save_checkpoint(folder / "last.pt", Checkpoint(settings, 1000, state))
    (folder / ABOUT).write_text(json.dumps({"commit": "0a1b2c"}))
    return folder / "last.pt"


@pytest.fixture(scope="module")
def commanded(tmp_path_factory: pytest.TempPathFactory) -> tuple[FarGenerator, Path]:
    """A trained paper variant and the bundle that the command makes of its run."""
    folder, generator = tmp_path_factory.mktemp("commanded"), scenes.made(TINY_PAPER, trained=True)
    generator.picture_mix.copy_(MIX)
    round_to_halves(generator)
    app = typer.Typer()
    app.command()(commands.export)
    checkpoint, out = str(save_run(folder, generator)), str(folder / "bundle")
    result = CliRunner().invoke(app, ["--checkpoint", checkpoint, "--data", "Heads of our own.", "--out", out])
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
    return min(agreement(GRAPHS[name](generator), folder / f"{name}.onnx") for name in generator.variant.graphs)


def test_onnx_equals_torch() -> None:
    assert bundle_agreement(*bundle(TINY_LIVE)) >= 60


def test_onnx_equals_torch_without_priors(tmp_path: Path) -> None:
    """Only the frame's graph: the other one knows nothing of priors."""
    graph = FrameGraph(scenes.made(WITHOUT_PRIORS, trained=True))
    round_to_halves(graph.generator)
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
    """Compared by value, for another version of the exporter may write another file: with its own weights, and with others."""
    for path in (LIVE_BUNDLE / "source.onnx", LIVE_BUNDLE / "frame.onnx"):
        assert agreement(load(path), path) >= 60
    trained = scenes.made(LIVE, trained=True)
    round_to_halves(trained)
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
    got = live.generate(z, guide, scene.flow, scene.render, scene.render_weight, scene.components)
    with torch.inference_mode():
        wanted = np.clip(scenes.picture(generator(*scene.tensors()).image), 0, 255)
    assert scenes.decibels(wanted, scene.photo) < 25  # the network does something
    assert scenes.decibels(got, wanted) >= 45


def test_a_trained_bundle_carries_its_mix_and_tells_where_it_comes_from(commanded: tuple[FarGenerator, Path]) -> None:
    _, folder = commanded
    np.testing.assert_array_equal(read_bundle(folder).picture_mix, MIX.numpy())
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["training"] == {"images": 1000, "hours": 1.5, "data": "Heads of our own.", "commit": "0a1b2c"}
    assert (manifest["licence"], manifest["head_sha256"]) == ("MIT", file_sha256(OPEN_HEAD))
    assert {path.name for path in folder.iterdir()} == {"manifest.json", "source.onnx", "frame.onnx"}
    for graph, entry in manifest["graphs"].items():
        assert entry["sha256"] == file_sha256(folder / f"{graph}.onnx")


def test_a_checkpoint_away_from_its_run_has_no_commit_and_hours_may_be_told(tmp_path: Path) -> None:
    checkpoint = save_run(tmp_path, scenes.made(TINY_LIVE))
    (tmp_path / ABOUT).unlink()
    told = export.training_of(checkpoint, "Heads.", hours=7)
    assert (told.commit, told.hours) == (None, 7)


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a checkpoint of this program"):
        commands.export(tmp_path / "absent.pt", "Heads.", out=tmp_path)


@pytest.mark.parametrize(("data", "variant"), [(None, None), ("Heads.", "live")])
def test_a_checkpoint_needs_its_data_and_no_variant(tmp_path: Path, data: str | None, variant: str | None) -> None:
    with pytest.raises(ConfigError, match="give --data, a sentence on what it learned from, and no --variant"):
        commands.export(tmp_path / "last.pt", data, variant=variant)


def test_an_unknown_variant_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must be one of paper, live, tiny-paper, tiny-live; got 'huge'"):
        commands.export(variant="huge", out=tmp_path)


def test_sub_pixels_of_a_run_are_drawn_together(tmp_path: Path) -> None:
    generator = scenes.made(TINY_LIVE, trained=True)
    found = load_average(save_run(tmp_path, generator))
    for head in ("to_rgb", "to_xy", "to_mask"):
        before, after = (
            getattr(one.blocks[-1].heads, head).weight.detach().view(-1, 4, one.blocks[-1].outputs) for one in (generator, found)
        )
        torch.testing.assert_close(after.mean(1), before.mean(1))
        torch.testing.assert_close(after.std(1), SUB_PIXELS_APART * before.std(1))
