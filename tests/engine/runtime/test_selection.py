"""The engine selector, on engines that are scripted: what is swapped in, what is dropped and why, and that no frame is lost."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from engine.errors import AssetError, ConfigError
from engine.runtime.engines import BETTER, BuildContext
from engine.runtime.selection import BUILDING, EngineSelector
from engine.values import Floats

RIGHT = np.linspace(0, 255, 100, dtype=np.float32)


class Scripted:
    """An engine: its answer, how long it takes by the stand-in's clock, and whether it raises."""

    def __init__(self, engine: str, ms: float, answer: Floats = RIGHT) -> None:
        self.engine, self.ms, self.answer = engine, ms, answer
        self.failure: Exception | None = None
        self.closed = 0

    def work(self) -> str:
        if self.failure is not None:
            raise self.failure
        return self.engine

    def close(self) -> None:
        self.closed += 1


class Bench:
    """Engines by name; those that cannot be built are errors. ``said`` is what the user was told."""

    def __init__(self, engines: dict[str, Scripted | Exception]) -> None:
        self._engines = engines
        self.opened: list[Scripted] = []
        self.said: list[str] = []
        self.status: list[str] = []
        self.clock_s = 0.0
        self._selector: EngineSelector[Scripted] | None = None

    @property
    def selector(self) -> EngineSelector[Scripted]:
        assert self._selector is not None
        return self._selector

    def open(self, engine: str, *, fixed: bool = False) -> Bench:
        self._selector = EngineSelector(
            engine,
            self._build,
            self._answer,
            peak=255.0,
            say=self.said.append,
            fixed=fixed,
            better=lambda: (name for name in BETTER if name in self._engines),
            clock=lambda: self.clock_s,
        )
        return self

    def upgrade(self) -> Bench:
        """Does one frame's work, and waits until the selector has tried the better ones."""
        self.frame()
        thread = self.selector._thread
        assert thread is not None
        thread.join(10)
        assert not thread.is_alive()
        return self

    def frame(self) -> str:
        return self.selector.run(Scripted.work)

    def _build(self, name: str, context: BuildContext) -> Scripted:
        script = self._engines[name]
        if isinstance(script, Exception):
            raise script
        context.progress(0.4)
        if self._selector is not None:
            self.status.append(self.selector.status)
        built = Scripted(name, script.ms, script.answer)
        self.opened.append(built)
        return built

    def _answer(self, engine: Scripted) -> Floats:
        engine.work()
        self.clock_s += engine.ms / 1000
        return engine.answer


def of(**ms: float) -> dict[str, Scripted | Exception]:
    names = {name: name.replace("_", "-") for name in ms}
    return {names[name]: Scripted(names[name], time) for name, time in ms.items()}


def test_auto_starts_with_the_first_and_ends_with_the_fastest() -> None:
    bench = Bench(of(openvino=16, onnxruntime_cuda=6, tensorrt=2)).open("auto")
    assert (bench.selector.engine, bench.frame()) == ("openvino", "openvino")
    bench.upgrade()
    assert bench.frame() == bench.selector.engine == bench.selector.status == "tensorrt"
    assert [sentence.split(":")[0] for sentence in bench.said] == [
        "The engine onnxruntime-cuda has taken over",
        "The engine tensorrt has taken over",
    ]
    assert "openvino; building onnxruntime-cuda, 40 %" in bench.status
    assert "onnxruntime-cuda; building tensorrt, 40 %" in bench.status


def test_nothing_is_built_before_the_first_picture() -> None:
    bench = Bench(of(openvino=16, tensorrt=2)).open("auto")
    assert [engine.engine for engine in bench.opened] == ["openvino"]


def test_one_that_is_slower_stays_out() -> None:
    bench = Bench(of(openvino=16, onnxruntime_cuda=3, tensorrt=5)).open("auto").upgrade()
    assert bench.frame() == "onnxruntime-cuda"
    assert bench.selector.dropped == {"tensorrt": "it is slower here than onnxruntime-cuda, 5.0 ms a picture"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (np.zeros_like(RIGHT), "its answer agrees to 5 dB, at least 40 is right"),  # black
        (RIGHT + np.float32(10), "its answer agrees to 28 dB, at least 40 is right"),
        (np.where(RIGHT > 200, np.float32(np.nan), RIGHT), "it gave values that are not finite"),
    ],
)
def test_one_that_is_wrong_stays_out(answer: Floats, reason: str) -> None:
    bench = Bench({**of(openvino=16), "tensorrt": Scripted("tensorrt", 1, answer)}).open("auto").upgrade()
    assert bench.frame() == "openvino"
    assert bench.selector.dropped == {"tensorrt": reason}
    assert bench.said == [f"The engine tensorrt is not used: {reason}."]


def test_one_that_cannot_be_built_does_not_keep_others_away() -> None:
    bench = Bench({**of(openvino=16, tensorrt=2), "onnxruntime-cuda": MemoryError("no more memory")}).open("auto").upgrade()
    assert bench.frame() == "tensorrt"
    assert bench.selector.dropped == {"onnxruntime-cuda": "MemoryError: no more memory"}


def test_one_that_fails_while_running_is_dropped_and_the_same_frame_is_done() -> None:
    bench = Bench(of(openvino=16, tensorrt=2)).open("auto").upgrade()
    running = next(engine for engine in reversed(bench.opened) if engine.engine == "tensorrt")
    running.failure = RuntimeError("CUDA error:\n out of memory")
    assert bench.frame() == "openvino"
    assert bench.selector.engine == "openvino"
    assert bench.said[-1] == "The engine tensorrt failed (RuntimeError: CUDA error: out of memory); openvino goes on."


def test_the_first_may_fail_too() -> None:
    bench = Bench(of(openvino=16, onnxruntime=30)).open("auto")
    bench.opened[0].failure = RuntimeError("illegal instruction")
    assert bench.frame() == "onnxruntime"
    bench.opened[1].failure = RuntimeError("too")
    with pytest.raises(AssetError, match=r"No engine works .*openvino: RuntimeError: illegal.*onnxruntime: RuntimeError: too"):
        bench.frame()


def test_when_the_first_does_not_open_the_next_does() -> None:
    bench = Bench({"openvino": AssetError("cannot compile it"), **of(onnxruntime=30)}).open("auto")
    assert bench.frame() == "onnxruntime"
    assert bench.selector.dropped == {"openvino": "cannot compile it"}


def test_a_named_engine_is_waited_for_and_the_only_one() -> None:
    bench = Bench(of(openvino=16, onnxruntime=30, tensorrt=2)).open("onnxruntime")
    assert bench.frame() == "onnxruntime"
    assert bench.selector._thread is None


def test_a_named_engine_that_is_wrong_is_refused() -> None:
    good = Bench(of(openvino=16, tensorrt=2)).open("tensorrt")
    assert good.frame() == "tensorrt"
    bad = Bench({**of(openvino=16), "tensorrt": Scripted("tensorrt", 1, RIGHT[::-1])})
    with pytest.raises(AssetError, match="The engine tensorrt cannot be used: its answer agrees to 5 dB"):
        bad.open("tensorrt")


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="must be auto, torch"):
        Bench(of(openvino=16)).open("cuda")


def test_two_selectors_build_one_after_the_other() -> None:
    first, second = (Bench(of(openvino=16, tensorrt=2)).open("auto") for _ in range(2))
    with BUILDING:
        for bench in (first, second):
            bench.frame()
        assert [engine.engine for engine in (*first.opened, *second.opened)] == ["openvino"] * 2
    for bench in (first, second):
        thread = bench.selector._thread
        assert isinstance(thread, threading.Thread)
        thread.join(10)


def test_a_fixed_engine_does_all_the_work() -> None:
    bench = Bench(of(openvino=16, tensorrt=2)).open("auto", fixed=True)
    assert [bench.frame() for _ in range(3)] == ["openvino"] * 3
    assert bench.selector._thread is None
    bench.opened[0].failure = RuntimeError("out of memory")
    with pytest.raises(AssetError, match=r"The engine openvino failed .*out of memory.*Name another"):
        bench.frame()


def test_a_closed_selector_has_closed_what_was_opened() -> None:
    bench = Bench(of(openvino=16, onnxruntime_cuda=6, torch_cuda=9, tensorrt=2)).open("auto").upgrade()
    bench.frame()
    bench.selector.close()
    bench.selector.close()
    assert [(engine.engine, engine.closed > 0) for engine in bench.opened] == [
        ("openvino", True),
        ("openvino", True),  # to compare with
        ("onnxruntime-cuda", True),  # replaced
        ("torch-cuda", True),  # slower
        ("tensorrt", True),
    ]
    with pytest.raises(RuntimeError, match="closed"):
        bench.frame()


def test_one_that_was_replaced_is_closed_by_who_runs_it() -> None:
    bench = Bench(of(openvino=16, onnxruntime_cuda=6, tensorrt=2)).open("auto").upgrade()
    replaced = next(engine for engine in bench.opened if engine.engine == "onnxruntime-cuda")
    assert not replaced.closed
    bench.frame()
    assert replaced.closed


def test_a_named_engine_that_is_refused_leaves_nothing_open() -> None:
    bench = Bench({**of(openvino=16), "tensorrt": Scripted("tensorrt", 1, RIGHT[::-1])})
    with pytest.raises(AssetError):
        bench.open("tensorrt")
    assert all(engine.closed for engine in bench.opened)
    failing = Bench({**of(openvino=16), "tensorrt": MemoryError("no more memory")})
    with pytest.raises(MemoryError):
        failing.open("tensorrt")
    assert all(engine.closed for engine in failing.opened)


class Halted(Bench):
    """Stops within one moment of building "tensorrt", until ``go_on`` is set."""

    def __init__(self, where: str) -> None:
        super().__init__(of(openvino=16, tensorrt=2))
        self.where, self.there, self.go_on = where, threading.Event(), threading.Event()

    def _halt(self, where: str) -> None:
        if where == self.where and threading.current_thread().name == "engine-build":
            self.there.set()
            assert self.go_on.wait(10)

    def _build(self, name: str, context: BuildContext) -> Scripted:
        self._halt(f"building {name}")
        return super()._build(name, context)

    def _answer(self, engine: Scripted) -> Floats:
        self._halt(f"answer of {engine.engine}")
        return super()._answer(engine)


@pytest.mark.parametrize("where", ["building openvino", "building tensorrt", "answer of openvino", "answer of tensorrt"])
def test_a_build_stops_at_its_next_check(where: str) -> None:
    bench = Halted(where)
    bench.open("auto")
    bench.frame()
    assert bench.there.wait(10)
    bench.selector.close(timeout_s=0)
    thread = bench.selector._thread
    assert thread is not None
    assert thread.is_alive()
    assert not thread.daemon
    bench.go_on.set()
    bench.selector.close()
    assert not thread.is_alive()
    assert all(engine.closed for engine in bench.opened)
    assert (bench.said, bench.selector.dropped) == ([], {})
    assert BUILDING.acquire(blocking=False)
    BUILDING.release()


def test_one_that_waits_for_its_turn_stops_too() -> None:
    bench = Bench(of(openvino=16, tensorrt=2)).open("auto")
    with BUILDING:
        bench.frame()
        bench.selector.close()
    assert [engine.engine for engine in bench.opened] == ["openvino"]
