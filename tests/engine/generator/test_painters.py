"""Painters: torch's equals the CPU's; what an engine does wrong never becomes a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import cycle
from typing import Any

import numpy as np
import pytest

from engine.generator.exam import Exam
from engine.generator.live import Generator, make_guide
from engine.generator.painters import CpuPainter, Moment, Painter, open_painter
from engine.generator.variants import TINY_LIVE
from engine.runtime import ladder
from engine.runtime.bundle import LIVE_BUNDLE, Bundle, read_bundle
from engine.runtime.sessions import LEAST_DB, decibels
from engine.values import COEFFICIENTS, Floats
from tests.engine.generator import scenes
from tests.engine.generator.exported import bundle


@pytest.fixture(scope="module")
def made() -> Bundle:
    return read_bundle(bundle(TINY_LIVE)[1])


@pytest.fixture(scope="module")
def generator(made: Bundle) -> Generator:
    return Generator(made.folder, engine="onnxruntime", threads=1)


@pytest.fixture(scope="module")
def exam(generator: Generator) -> Exam:
    return generator.exam()


def test_the_exam_asks_something(exam: Exam, made: Bundle) -> None:
    painter = open_painter(made, "onnxruntime", threads=1)
    picture = painter.paint(exam.source, exam.moment).copy()
    assert picture.std() > 20
    assert scenes.decibels(painter.paint(exam.source, exam.moment, "none"), picture) < 30  # the network has its say


def test_places_that_are_off_by_half_a_pixel_do_not_pass() -> None:
    live = read_bundle(LIVE_BUNDLE)
    exam = Generator(LIVE_BUNDLE, engine="onnxruntime", threads=2).exam()
    painter = open_painter(live, "onnxruntime", threads=2)
    right = painter.paint(exam.source, exam.moment, "none").astype(np.float32)
    for pixels, passes in ((0.1, True), (0.5, False)):
        moved = replace(exam.moment, flow=exam.moment.flow + np.float32(2 * pixels / live.variant.size))
        agreement_db = decibels(painter.paint(exam.source, moved, "none").astype(np.float32), right, 255.0)
        assert (agreement_db >= LEAST_DB) == passes


def painters(made: Bundle) -> tuple[Painter, Painter]:
    return open_painter(made, "onnxruntime", threads=1), open_painter(made, "torch", threads=2)


def test_torchs_picture_is_the_cpus(exam: Exam, made: Bundle, generator: Generator) -> None:
    scene = scenes.moving(made.variant.size)
    other = generator.prepare(scene.foreground, scene.matte, scene.plate, scene.photo)
    cpu, torch = painters(made)
    for source in (exam.source, other, exam.source):  # each is uploaded when it is first painted
        assert scenes.decibels(torch.paint(source, exam.moment), cpu.paint(source, exam.moment)) >= 50


def test_weaker_corrections_lie_between_none_and_all(exam: Exam, made: Bundle) -> None:
    for painter in painters(made):
        none, half, full = (
            painter.paint(exam.source, replace(exam.moment, strength=strength)).astype(int) for strength in (0.0, 0.5, 1.0)
        )
        assert np.array_equal(none, painter.paint(exam.source, exam.moment, "none"))
        assert 0 < np.abs(half - none).mean() < np.abs(full - none).mean()


def test_torch_and_cpu_weaken_alike(exam: Exam, made: Bundle) -> None:
    weaker = replace(exam.moment, strength=0.4)
    cpu, torch = painters(made)
    assert scenes.decibels(torch.paint(exam.source, weaker), cpu.paint(exam.source, weaker)) >= 50


def test_corrections_are_kept_or_left_out_alike(exam: Exam, made: Bundle) -> None:
    later = Moment(
        {**exam.moment.feeds, "z": -exam.moment.feeds["z"]},
        exam.moment.flow[::-1].copy(),
        exam.moment.render,
        exam.moment.render_weight,
    )
    pictures = []
    for painter in painters(made):
        painter.paint(exam.source, exam.moment)
        kept, none, new = (painter.paint(exam.source, later, how).copy() for how in ("kept", "none", "new"))  # type: ignore[arg-type]
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


@pytest.mark.parametrize("failure", [None, RuntimeError("CUDA error: out of memory")])
def test_a_gpu_that_dies_while_running_costs_no_picture(
    made: Bundle, monkeypatch: pytest.MonkeyPatch, failure: Exception | None
) -> None:
    exam_runs = ladder.RUNS + 2
    session = Failing(made.open("frame", "onnxruntime", threads=1), exam_runs + 3, failure)

    def opened(of: Bundle, name: str, **options: Any) -> Painter:
        return CpuPainter(session, of, 1) if name == "tensorrt" else open_painter(of, name, threads=1)

    monkeypatch.setattr("engine.generator.live.open_painter", opened)
    monkeypatch.setattr(ladder, "installed", lambda name: None if name == "tensorrt" else "no")
    times_ms = cycle([2.0, 1.0])  # of the reference and of the candidate, in turns
    monkeypatch.setattr("engine.runtime.trial._ms", lambda work: (work(), next(times_ms))[1])
    said: list[str] = []
    live = Generator(made.folder, threads=1, say=said.append)
    scene = scenes.moving(made.variant.size)
    live.set_source(scene.foreground, scene.matte, scene.plate, scene.photo)
    guide = make_guide(scene.render, np.ones_like(scene.matte), scene.render_weight, live.guide_size)
    z = np.linspace(-1, 1, COEFFICIENTS, dtype=np.float32)
    pictures = [live.generate(z, guide, scene.flow, scene.render, scene.render_weight, scene.components).copy()]
    thread = live._ladder._thread
    assert thread is not None
    thread.join(20)
    engines = []
    for _ in range(5):
        pictures.append(live.generate(z, guide, scene.flow, scene.render, scene.render_weight, scene.components).copy())
        engines.append(live.engine)
    assert engines == ["tensorrt"] * 3 + ["openvino"] * 2
    for picture in pictures[1:]:
        assert scenes.decibels(picture, pictures[0]) >= 60
    assert "The engine tensorrt failed" in said[-1]
