"""The numpy-facing generator, which the animator uses: untrained it hands geometry through."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from engine.generator.frame_renderer import CpuFrameRenderer
from engine.generator.live import Generator, make_guide
from engine.generator.manifest import LIVE_BUNDLE, read_bundle
from engine.generator.photograph import REMEMBERED
from engine.generator.render_inputs import EncodedPhotograph, RenderInputs
from engine.generator.variants import LIVE
from engine.values import COEFFICIENTS, Corrections, Floats, Picture
from tests.engine.generator import exported, scenes


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator(exported.bundle(LIVE, trained=False)[1], threads=2)


def animated(generator: Generator, scene: scenes.Scene) -> Picture:
    generator.set_source(scene.foreground, scene.matte, scene.plate, scene.photo)
    guide = make_guide(scene.render, np.ones((512, 512), np.float32), scene.render_weight, generator.guide_size)
    z = np.linspace(-1, 1, COEFFICIENTS, dtype=np.float32)
    return generator.generate(z, guide, scene.flow, scene.render, scene.render_weight, scene.components).copy()


def test_at_rest_the_picture_is_the_photograph(generator: Generator) -> None:
    scene = scenes.still(512)
    assert np.array_equal(animated(generator, scene), scene.photo)


def test_at_rest_with_matte_and_plate_the_picture_is_the_photograph(generator: Generator) -> None:
    scene = scenes.layered(512)
    assert scenes.decibels(animated(generator, scene), scene.photo) >= 65


def test_a_known_warp_is_opencvs_remap(generator: Generator) -> None:
    scene = replace(scenes.still(512), flow=scenes.smooth_flow(512))
    got = animated(generator, scene)[48:-48, 48:-48]
    for interpolation in (cv2.INTER_CUBIC, cv2.INTER_LINEAR):  # the picture is smooth enough for either
        wanted = scenes.remapped(scene.photo, scene.flow, interpolation)
        assert scenes.decibels(got, wanted[48:-48, 48:-48]) >= (50 if interpolation == cv2.INTER_CUBIC else 40)


def test_corrections_may_be_kept_or_left_out(generator: Generator) -> None:
    scene, bundle = scenes.still(512), read_bundle(LIVE_BUNDLE)
    moment = RenderInputs({}, scene.flow, scene.render, scene.render_weight)
    side, reds = bundle.variant.output_size, [0.5, -0.5, 0.25]
    runs: list[float] = []

    def answer(_feeds: object) -> dict[str, Floats]:
        runs.append(reds[len(runs)])
        state = np.zeros((1, 6, side, side), np.float32)
        state[:, 0] = runs[-1]
        return {"state": state}

    renderer = CpuFrameRenderer(SimpleNamespace(engine="fake", run=answer, inputs={}, close=lambda: None), bundle, threads=1)
    first = generator.prepare(scene.foreground, scene.matte, scene.plate, scene.photo)
    second = replace(first, features=dict(first.features))

    def red(source: EncodedPhotograph, corrections: Corrections) -> float:
        return float(renderer.render(source, moment, corrections)[..., 0].astype(float).mean() - scene.photo[..., 0].mean())

    assert red(first, "none") == 0
    assert red(first, "kept") > 10  # none are there yet, so they are made
    assert red(first, "kept") > 10
    assert len(runs) == 1
    assert red(first, "new") < -10
    assert red(first, "none") == 0
    assert red(first, "kept") < -10
    assert len(runs) == 2
    assert red(second, "kept") > 5  # another photograph's are never used
    assert len(runs) == 3


def test_a_source_prepared_aside_does_not_disturb_the_one_in_use(generator: Generator) -> None:
    first, second = scenes.still(512), replace(scenes.still(512), photo=scenes.photograph(512, 7))
    before = animated(generator, first)
    prepared = generator.prepare(second.photo, second.matte, second.photo, second.photo)
    guide = make_guide(first.render, first.matte, first.render_weight, generator.guide_size)
    z = np.zeros(COEFFICIENTS, np.float32)
    assert np.array_equal(generator.generate(z, guide, first.flow, first.render, first.render_weight, first.components), before)
    generator.use(prepared)
    assert np.array_equal(
        generator.generate(z, guide, first.flow, first.render, first.render_weight, first.components), second.photo
    )


def test_the_features_of_a_photograph_are_computed_once(generator: Generator) -> None:
    photo, matte = scenes.photograph(512, 11), np.ones((512, 512), np.float32)
    first = generator.prepare(photo, matte, photo, photo)
    again = generator.prepare(photo, matte, photo, photo.copy())
    assert again.features is first.features
    for seed in range(REMEMBERED):
        other = scenes.photograph(512, 20 + seed)
        assert generator.prepare(other, matte, other, other).features is not first.features
    assert generator.prepare(photo, matte, photo, photo).features is not first.features


def test_without_a_photograph_it_says_so() -> None:
    nothing = np.zeros((512, 512), np.float32)
    empty = np.zeros((512, 512, 3), np.uint8)
    with pytest.raises(RuntimeError, match="set_source"):
        Generator(threads=1).generate(
            np.zeros(COEFFICIENTS, np.float32), make_guide(empty, nothing, nothing, 256), np.zeros((512, 512, 2), np.float32),
            empty, nothing, scenes.COMPONENTS_AT,
        )  # fmt: skip


def test_wrong_shapes_and_types_are_refused_by_name(generator: Generator) -> None:
    scene = scenes.still(512)
    generator.set_source(scene.foreground, scene.matte, scene.plate, scene.photo)
    guide, z = (
        make_guide(scene.render, scene.matte, scene.render_weight, generator.guide_size),
        np.zeros(COEFFICIENTS, np.float32),
    )
    with pytest.raises(ValueError, match=r"prior_flow must be float32 \(512, 512, 2\), got float32 \(256, 256, 2\)"):
        generator.generate(z, guide, scene.flow[::2, ::2], scene.render, scene.render_weight, scene.components)
    with pytest.raises(ValueError, match=r"render_weight must be float32 \(512, 512\), got float64"):
        generator.generate(z, guide, scene.flow, scene.render, scene.render_weight.astype(np.float64), scene.components)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="matte must be float32"):
        generator.prepare(scene.photo, scene.matte[:9], scene.photo, scene.photo)


def test_views_that_are_not_contiguous_are_taken(generator: Generator) -> None:
    scene = scenes.still(512)
    generator.set_source(scene.foreground, scene.matte.T, scene.plate, scene.photo)
    guide, z = (
        make_guide(scene.render, scene.matte, scene.render_weight, generator.guide_size),
        np.zeros(COEFFICIENTS, np.float32),
    )
    got = generator.generate(
        z, guide, scene.flow.transpose(1, 0, 2), scene.render[:, ::-1], scene.render_weight.T, scene.components
    )
    assert np.array_equal(got, scene.photo)


def test_the_guide_is_the_trainers() -> None:
    scene = scenes.moving(512)
    _, _, drive = scene.tensors()
    coverage = np.ones((512, 512), np.float32)
    out = np.empty((1, 5, 256, 256), np.float32)
    got = make_guide(scene.render, coverage, scene.render_weight, 256, out)
    assert got is out
    assert np.abs(got - drive.guide(256).numpy()).max() < 0.005  # the picture is rounded to levels after averaging


def test_live_use_imports_no_torch_and_reports_to_nobody(tmp_path: Path) -> None:
    """OpenVINO's package sends an event when imported, unless kept from it; torch is not installed with the camera."""
    program = (
        "import socket, sys\n"
        "def refuse(*_): raise SystemExit('it wanted to connect')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from engine.generator.live import Generator\n"
        "assert Generator(threads=1).engine\n"
        "loaded = {name.split('.')[0] for name, module in sys.modules.items() if module is not None}\n"
        "assert not loaded & {'torch', 'onnx', 'openvino_telemetry'}, loaded\n"
    )
    environment = {"HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path), "CI": ""}
    result = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert not (tmp_path / "intel").exists()
