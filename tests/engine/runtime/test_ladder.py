"""The ladder, on engines that are scripted: what is swapped in, what is dropped and why, and that no frame is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from engine.errors import AssetError, ConfigError
from engine.runtime import ladder as ladder_module
from engine.runtime import trial as trial_module
from engine.runtime.engines import Workshop, known
from engine.runtime.ladder import Ladder
from engine.values import Floats

RIGHT = np.linspace(0, 255, 100, dtype=np.float32)


class Scripted:
    """An engine: its answer, how long it takes by the stand-in's clock, and whether it raises."""

    def __init__(self, engine: str, ms: float, answer: Floats = RIGHT) -> None:
        self.engine, self.ms, self.answer = engine, ms, answer
        self.failure: Exception | None = None

    def work(self) -> str:
        if self.failure is not None:
            raise self.failure
        return self.engine


class Bench:
    """Engines by name; those that cannot be built are errors. ``said`` is what the user was told."""

    def __init__(self, engines: dict[str, Scripted | Exception]) -> None:
        self._engines = engines
        self.opened: list[Scripted] = []
        self.said: list[str] = []
        self.status: list[str] = []
        self._ladder: Ladder[Scripted] | None = None

    @property
    def ladder(self) -> Ladder[Scripted]:
        assert self._ladder is not None
        return self._ladder

    def open(self, engine: str) -> Bench:
        self._ladder = Ladder(engine, self._build, self._answer, peak=255.0, say=self.said.append)
        return self

    def climb(self) -> Bench:
        """Does one frame's work, and waits until the ladder has been climbed."""
        self.frame()
        thread = self.ladder._thread
        assert thread is not None
        thread.join(10)
        assert not thread.is_alive()
        return self

    def frame(self) -> str:
        return self.ladder.run(Scripted.work)

    def _build(self, name: str, workshop: Workshop) -> Scripted:
        script = self._engines[name]
        if isinstance(script, Exception):
            raise script
        workshop.progress(0.4)
        if self._ladder is not None:
            self.status.append(self.ladder.status)
        built = Scripted(name, script.ms, script.answer)
        self.opened.append(built)
        return built

    def _answer(self, engine: Scripted) -> Floats:
        engine.work()
        self.clock_ms = engine.ms
        return engine.answer


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Scripted | Exception]], Bench]:
    """A bench on which just these engines are installed."""

    def bench(engines: dict[str, Scripted | Exception]) -> Bench:
        made = Bench(engines)
        monkeypatch.setattr(ladder_module, "installed", lambda name: None if name in engines else "it is not")

        def timed(work: Callable[[], object]) -> float:
            work()
            return made.clock_ms

        monkeypatch.setattr(trial_module, "_ms", timed)
        return made

    return bench


Make = Callable[[dict[str, Scripted | Exception]], Bench]


def of(**ms: float) -> dict[str, Scripted | Exception]:
    names = {name: name.replace("_", "-") for name in ms}
    return {names[name]: Scripted(names[name], time) for name, time in ms.items()}


def test_auto_starts_with_the_first_and_ends_with_the_fastest(make: Make) -> None:
    bench = make(of(openvino=16, onnxruntime_cuda=6, tensorrt=2)).open("auto")
    assert (bench.ladder.engine, bench.frame()) == ("openvino", "openvino")
    bench.climb()
    assert bench.frame() == bench.ladder.engine == bench.ladder.status == "tensorrt"
    assert [sentence.split(":")[0] for sentence in bench.said] == [
        "The engine onnxruntime-cuda has taken over",
        "The engine tensorrt has taken over",
    ]
    assert "openvino; building onnxruntime-cuda, 40 %" in bench.status
    assert "onnxruntime-cuda; building tensorrt, 40 %" in bench.status


def test_nothing_is_built_before_the_first_picture(make: Make) -> None:
    bench = make(of(openvino=16, tensorrt=2)).open("auto")
    assert [engine.engine for engine in bench.opened] == ["openvino"]


def test_one_that_is_slower_stays_out(make: Make) -> None:
    bench = make(of(openvino=16, onnxruntime_cuda=3, tensorrt=5)).open("auto").climb()
    assert bench.frame() == "onnxruntime-cuda"
    assert bench.ladder.dropped == {"tensorrt": "it is slower here than onnxruntime-cuda, 5.0 ms a picture"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (np.zeros_like(RIGHT), "its answer agrees to 5 dB, at least 40 is right"),  # black
        (RIGHT + np.float32(10), "its answer agrees to 28 dB, at least 40 is right"),
        (np.where(RIGHT > 200, np.float32(np.nan), RIGHT), "it gave values that are not finite"),
    ],
)
def test_one_that_is_wrong_stays_out(make: Make, answer: Floats, reason: str) -> None:
    bench = make({**of(openvino=16), "tensorrt": Scripted("tensorrt", 1, answer)}).open("auto").climb()
    assert bench.frame() == "openvino"
    assert bench.ladder.dropped == {"tensorrt": reason}
    assert bench.said == [f"The engine tensorrt is not used: {reason}."]


def test_one_that_cannot_be_built_does_not_keep_others_away(make: Make) -> None:
    bench = make({**of(openvino=16, tensorrt=2), "onnxruntime-cuda": MemoryError("no more memory")}).open("auto").climb()
    assert bench.frame() == "tensorrt"
    assert bench.ladder.dropped == {"onnxruntime-cuda": "MemoryError: no more memory"}


def test_one_that_fails_while_running_is_dropped_and_the_same_frame_is_done(make: Make) -> None:
    bench = make(of(openvino=16, tensorrt=2)).open("auto").climb()
    running = next(engine for engine in reversed(bench.opened) if engine.engine == "tensorrt")
    running.failure = RuntimeError("CUDA error:\n out of memory")
    assert bench.frame() == "openvino"
    assert bench.ladder.engine == "openvino"
    assert bench.said[-1] == "The engine tensorrt failed (RuntimeError: CUDA error: out of memory); openvino goes on."


def test_the_first_may_fail_too(make: Make) -> None:
    bench = make(of(openvino=16, onnxruntime=30)).open("auto")
    bench.opened[0].failure = RuntimeError("illegal instruction")
    assert bench.frame() == "onnxruntime"
    bench.opened[1].failure = RuntimeError("too")
    with pytest.raises(AssetError, match=r"No engine works .*openvino: RuntimeError: illegal.*onnxruntime: RuntimeError: too"):
        bench.frame()


def test_when_the_first_does_not_open_the_next_does(make: Make) -> None:
    bench = make({"openvino": AssetError("cannot compile it"), **of(onnxruntime=30)}).open("auto")
    assert bench.frame() == "onnxruntime"
    assert bench.ladder.dropped == {"openvino": "cannot compile it"}


def test_a_named_engine_is_waited_for_and_the_only_one(make: Make) -> None:
    bench = make(of(openvino=16, onnxruntime=30, tensorrt=2)).open("onnxruntime")
    assert bench.frame() == "onnxruntime"
    assert bench.ladder._thread is None


def test_a_named_engine_that_is_wrong_is_refused(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder_module, "usable", known)
    good = make(of(openvino=16, tensorrt=2)).open("tensorrt")
    assert good.frame() == "tensorrt"
    bad = make({**of(openvino=16), "tensorrt": Scripted("tensorrt", 1, RIGHT[::-1])})
    with pytest.raises(AssetError, match="The engine tensorrt cannot be used: its answer agrees to 5 dB"):
        bad.open("tensorrt")


def test_a_name_that_is_none_is_refused(make: Make) -> None:
    with pytest.raises(ConfigError, match="must be auto, torch"):
        make(of(openvino=16)).open("cuda")


def test_closing_keeps_what_is_being_built_from_taking_over(make: Make) -> None:
    bench = make(of(openvino=16, tensorrt=2)).open("auto")
    bench.ladder.close()
    bench.climb()
    assert bench.frame() == "openvino"


def test_two_ladders_build_one_after_the_other(make: Make) -> None:
    first, second = (make(of(openvino=16, tensorrt=2)).open("auto") for _ in range(2))
    with ladder_module.BUILDING:
        for bench in (first, second):
            bench.frame()
        assert [engine.engine for engine in (*first.opened, *second.opened)] == ["openvino"] * 2
    for bench in (first, second):
        thread = bench.ladder._thread
        assert isinstance(thread, threading.Thread)
        thread.join(10)
