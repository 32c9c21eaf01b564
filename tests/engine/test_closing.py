"""Who opens, closes: also when opening fails half-way, and while a better engine is being built."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine.regress.joint
import engine.regress.network
from engine.animator import Animator
from engine.errors import AssetError
from engine.generator import frame_renderer
from engine.generator.frame_renderer import FrameRenderer, open_frame_renderer
from engine.generator.live import Generator
from engine.generator.manifest import Bundle, read_bundle
from engine.generator.variants import TINY_LIVE
from engine.head import HeadModel, load_head
from engine.regress import open_regressor
from engine.runtime import sessions
from engine.runtime.engines import BuildContext
from engine.runtime.selection import EngineSelector
from engine.values import Floats
from tests.engine.generator.exported import bundle

ROOT = Path(__file__).parents[2]


class Watched:
    """A session that counts how often it is closed."""

    def __init__(self, session: Any) -> None:
        self._session, self.closed = session, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def close(self) -> None:
        self.closed += 1
        self._session.close()

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Watched]]:
    """Every session that is opened meanwhile; afterwards all must be closed, and no thread is left that was not there before."""
    found: list[Watched] = []
    before = set(threading.enumerate())
    open_one = sessions._open

    def watched(*arguments: Any) -> Watched:
        found.append(Watched(open_one(*arguments)))
        return found[-1]

    monkeypatch.setattr(sessions, "_open", watched)
    yield found
    assert found
    assert all(session.closed for session in found)
    assert not [thread for thread in threading.enumerate() if thread not in before]


@pytest.fixture(scope="module")
def tiny() -> Bundle:
    return read_bundle(bundle(TINY_LIVE)[1])


def failing(*_arguments: object, **_names: object) -> Any:
    raise AssetError("it does not open")


@pytest.mark.usefixtures("opened")
def test_a_generator_closes_its_networks(tiny: Bundle) -> None:
    with Generator(tiny.folder, threads=2) as generator:
        pass
    generator.close()


def test_a_generator_whose_renderer_does_not_open_leaves_nothing(
    tiny: Bundle, opened: list[Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.generator.live.open_frame_renderer", failing)
    with pytest.raises(AssetError, match="it does not open"):
        Generator(tiny.folder, threads=1)
    assert len(opened) == 2  # source and refiner


@pytest.mark.usefixtures("opened")
def test_a_renderer_whose_compositor_fails_closes_the_network(tiny: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_renderer, "Compositor", failing)
    with pytest.raises(AssetError, match="it does not open"):
        open_frame_renderer(tiny, "onnxruntime", threads=1)


@pytest.mark.usefixtures("opened")
def test_an_animator_refuses_a_generator_of_another_size_and_closes_it(tiny: Bundle) -> None:
    with pytest.raises(AssetError, match="wanted one of 512"):
        Animator(bundle=tiny.folder)


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize("name", ["network", "both"])
def test_a_regressor_closes_its_network(name: Any) -> None:
    with open_regressor(name, load_head()) as regressor:
        pass
    regressor.close()


@pytest.mark.usefixtures("opened")
def test_a_regressor_that_fails_beside_its_network_closes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.regress.joint, "JointRegressor", failing)
    with pytest.raises(AssetError, match="it does not open"):
        open_regressor("both", load_head())


def test_what_may_fail_at_once_is_done_before_the_network_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_head: HeadModel) -> Any:
        raise ValueError("no landmarks")

    monkeypatch.setattr(engine.regress.network.LandmarkBasis, "of", broken)
    monkeypatch.setattr(engine.regress.network, "session_selector", failing)
    with pytest.raises(ValueError, match="no landmarks"):
        open_regressor("network", load_head())


def two_engines(tiny: Bundle, gate: Callable[[str], None]) -> EngineSelector[FrameRenderer]:
    """Real engines, and "auto": it begins with ONNX Runtime, OpenVINO is tried behind it. By its clock OpenVINO is faster."""
    now_s = 0.0

    def build(name: str, context: BuildContext) -> FrameRenderer:
        gate(name)
        return open_frame_renderer(tiny, name, threads=1, context=context)

    picture = Generator(tiny.folder, engine="onnxruntime", threads=1)
    shown = picture.verification_picture()
    picture.close()

    def answer(renderer: FrameRenderer) -> Floats:
        nonlocal now_s
        now_s += 1 if renderer.engine == "openvino" else 2
        return shown.answer(renderer)

    return EngineSelector(
        "auto", build, answer, peak=255.0, first=("onnxruntime",), better=lambda: ("openvino",), clock=lambda: now_s
    )


@pytest.mark.usefixtures("opened")
def test_of_two_real_engines_the_better_is_built_behind_the_pictures(tiny: Bundle) -> None:
    selector = two_engines(tiny, lambda _name: None)
    with selector:
        assert selector.run(lambda renderer: renderer.engine) == "onnxruntime"
        assert selector._thread is not None
        selector._thread.join(30)
        assert selector.run(lambda renderer: renderer.engine) == "openvino"


@pytest.mark.usefixtures("opened")
def test_closing_while_the_second_is_built_ends_the_build(tiny: Bundle) -> None:
    building, go_on = threading.Event(), threading.Event()

    def gate(name: str) -> None:
        if name == "openvino":
            building.set()
            assert go_on.wait(30)

    with two_engines(tiny, gate) as selector:
        selector.run(lambda renderer: renderer.engine)
        assert building.wait(30)
        go_on.set()
    assert selector.engine == "onnxruntime"
    assert not selector.dropped


# A second engine on whatever machine: OpenVINO once more.
SECOND_ENGINE = """
import sys, threading
from dataclasses import replace
from engine.process import end_process
from engine.runtime import engines
engines.ENGINES["second"] = replace(engines.ENGINES["openvino"], exact=False)
engines.BETTER = ("second",)
"""
FORGOTTEN = """
import numpy as np
from engine.animator import Animator
from engine.portrait import load_portrait
from engine.manifest import ASSETS
animator = Animator()
source = animator.set_source(load_portrait(ASSETS / "portrait.jpg"))
animator.animate(source.coefficients)
assert any(thread.name == "engine-build" for thread in threading.enumerate())
"""


def run_script(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    ("end", "code"), [("", 0), ("animator.close()", 0), ("raise SystemExit(3)", 3), ("end_process(4)", 4)], ids=str
)
def test_a_program_ends_in_order_while_an_engine_is_built(end: str, code: int) -> None:
    done = run_script(SECOND_ENGINE + FORGOTTEN + end)
    assert done.returncode == code, done.stderr


def test_edit_ends_in_order_where_there_is_a_second_engine(tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    script = f"from vcam.cli.app import run_command\nsys.exit(run_command(['edit', '--out', {str(out)!r}]))"
    done = run_script(SECOND_ENGINE + script)
    assert done.returncode == 0, done.stderr
    assert out.is_file()


def test_a_process_ends_with_its_code_also_beside_a_thread_that_does_not() -> None:
    stuck = "import threading; threading.Thread(target=threading.Event().wait).start()\nprint('said', end='')\n"
    for before in ("", stuck):
        done = run_script(f"from engine.process import end_process\n{before}end_process(5)")
        assert done.returncode == 5, done.stderr
        assert done.stdout == ("said" if before else "")


def test_answers_that_are_not_finite_leave_the_picture_and_are_logged_once(
    tiny: Bundle, caplog: pytest.LogCaptureFixture
) -> None:
    from engine.generator.refinement import Refinement

    class Broken:
        def run(self, _feeds: object) -> dict[str, Floats]:
            shapes = tiny.variant.inputs("refiner")
            mouth, eyes = ((shape[0], 4, *shape[2:]) for shape in shapes.values())
            return {"mouth_state": np.full(mouth, np.nan, np.float32), "eyes_state": np.zeros(eyes, np.float32)}

    refinement = Refinement(Broken(), tiny.variant)  # type: ignore[arg-type]
    size = tiny.variant.size
    picture = np.full((size, size, 3), 77, np.uint8)
    for _ in range(2):
        refinement.apply(picture, picture.copy(), np.zeros((size, size), np.float32), np.zeros((3, 2), np.float32), 1.0)
    assert (picture == 77).all()
    assert len(caplog.records) == 1
    assert "not finite" in caplog.text
