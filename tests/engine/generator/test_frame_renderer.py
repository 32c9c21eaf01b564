"""Frame renderers: torch's equals the CPU's; what an engine does wrong never becomes a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.generator.frame_renderer import CpuFrameRenderer, FrameRenderer, open_frame_renderer
from engine.generator.live import Generator
from engine.generator.manifest import LIVE_BUNDLE, Bundle, read_bundle
from engine.generator.render_inputs import RenderInputs
from engine.generator.variants import TINY_LIVE
from engine.generator.verification import VerificationPicture
from engine.runtime.engines import BuildContext
from engine.runtime.selection import RUNS, EngineSelector
from engine.runtime.sessions import LEAST_DB, decibels
from engine.runtime.verification import WARM_UPS
from engine.values import Floats, Picture
from tests.engine.generator import scenes
from tests.engine.generator.exported import bundle


@pytest.fixture(scope="module")
def made() -> Bundle:
    return read_bundle(bundle(TINY_LIVE)[1])


@pytest.fixture(scope="module")
def generator(made: Bundle) -> Generator:
    return Generator(made.folder, engine="onnxruntime", threads=1)


@pytest.fixture(scope="module")
def shown(generator: Generator) -> VerificationPicture:
    return generator.verification_picture()


def test_the_picture_shows_what_the_network_does(shown: VerificationPicture, made: Bundle) -> None:
    renderer = open_frame_renderer(made, "onnxruntime", threads=1)
    picture = renderer.render(shown.source, shown.inputs).copy()
    assert picture.std() > 20
    assert scenes.decibels(renderer.render(shown.source, shown.inputs, "none"), picture) < 30  # the network has its say


def test_places_that_are_off_by_half_a_pixel_do_not_pass() -> None:
    live = read_bundle(LIVE_BUNDLE)
    shown = Generator(LIVE_BUNDLE, engine="onnxruntime", threads=2).verification_picture()
    renderer = open_frame_renderer(live, "onnxruntime", threads=2)
    right = renderer.render(shown.source, shown.inputs, "none").astype(np.float32)
    for pixels, passes in ((0.1, True), (0.5, False)):
        moved = replace(shown.inputs, flow=shown.inputs.flow + np.float32(2 * pixels / live.variant.size))
        agreement_db = decibels(renderer.render(shown.source, moved, "none").astype(np.float32), right, 255.0)
        assert (agreement_db >= LEAST_DB) == passes


def renderers(made: Bundle) -> tuple[FrameRenderer, FrameRenderer]:
    return open_frame_renderer(made, "onnxruntime", threads=1), open_frame_renderer(made, "torch", threads=2)


def test_torchs_picture_is_the_cpus(shown: VerificationPicture, made: Bundle, generator: Generator) -> None:
    scene = scenes.moving(made.variant.size)
    other = generator.prepare(scene.foreground, scene.matte, scene.plate, scene.photo)
    cpu, torch = renderers(made)
    for source in (shown.source, other, shown.source):  # each is uploaded when it is first drawn
        assert scenes.decibels(torch.render(source, shown.inputs), cpu.render(source, shown.inputs)) >= 50


def test_weaker_corrections_lie_between_none_and_all(shown: VerificationPicture, made: Bundle) -> None:
    for renderer in renderers(made):
        none, half, full = (
            renderer.render(shown.source, replace(shown.inputs, strength=strength)).astype(int) for strength in (0.0, 0.5, 1.0)
        )
        assert np.array_equal(none, renderer.render(shown.source, shown.inputs, "none"))
        assert 0 < np.abs(half - none).mean() < np.abs(full - none).mean()


def test_torch_and_cpu_weaken_alike(shown: VerificationPicture, made: Bundle) -> None:
    weaker = replace(shown.inputs, strength=0.4)
    cpu, torch = renderers(made)
    assert scenes.decibels(torch.render(shown.source, weaker), cpu.render(shown.source, weaker)) >= 50


def test_corrections_are_kept_or_left_out_alike(shown: VerificationPicture, made: Bundle) -> None:
    later = RenderInputs(
        {**shown.inputs.feeds, "z": -shown.inputs.feeds["z"]},
        shown.inputs.flow[::-1].copy(),
        shown.inputs.render,
        shown.inputs.render_weight,
    )
    pictures = []
    for renderer in renderers(made):
        renderer.render(shown.source, shown.inputs)
        kept, none, new = (renderer.render(shown.source, later, how).copy() for how in ("kept", "none", "new"))  # type: ignore[arg-type]
        assert min(scenes.decibels(kept, new), scenes.decibels(none, new)) < 60  # so that it means something
        pictures.append((kept, none, new))
    for cpu, torch in zip(*pictures, strict=True):
        assert scenes.decibels(torch, cpu) >= 50


class Failing:
    """A session that works ``good`` times, and then gives NaN or raises."""

    engine = "tensorrt"

    def __init__(self, session: Any, good: int, failure: Exception | None) -> None:
        self.inputs: Mapping[str, tuple[int, ...]] = session.inputs
        self._session, self._good, self._failure = session, good, failure

    def run(self, feeds: Mapping[str, Floats]) -> dict[str, Floats]:
        self._good -= 1
        if self._good >= 0:
            answered: dict[str, Floats] = self._session.run(feeds)
            return answered
        if self._failure is not None:
            raise self._failure
        return {"state": np.full((1, 6, 32, 32), np.nan, np.float32)}

    def close(self) -> None:
        self._session.close()

    def __enter__(self) -> Failing:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@pytest.mark.parametrize("failure", [None, RuntimeError("CUDA error: out of memory")])
def test_a_gpu_that_dies_while_running_costs_no_picture(
    made: Bundle, shown: VerificationPicture, failure: Exception | None
) -> None:
    session = Failing(made.open("frame", "onnxruntime", threads=1), WARM_UPS + RUNS + 3, failure)
    now_s, said = 0.0, []

    def build(name: str, context: BuildContext) -> FrameRenderer:
        if name == "tensorrt":
            return CpuFrameRenderer(session, made, 1)
        return open_frame_renderer(made, name, threads=1, context=context)

    def answer(renderer: FrameRenderer) -> Floats:
        nonlocal now_s
        now_s += 1 if renderer.engine == "tensorrt" else 2
        return shown.answer(renderer)

    better, clock = (lambda: ["tensorrt"]), (lambda: now_s)
    with EngineSelector("auto", build, answer, peak=255.0, say=said.append, better=better, clock=clock) as selector:

        def draw() -> Picture:
            return selector.run(lambda renderer: renderer.render(shown.source, shown.inputs)).copy()

        first, engines = draw(), []
        assert selector._thread is not None
        selector._thread.join(20)
        for _ in range(5):
            assert scenes.decibels(draw(), first) >= 60
            engines.append(selector.engine)
    assert engines == ["tensorrt"] * 3 + ["openvino"] * 2
    assert "The engine tensorrt failed" in said[-1]
