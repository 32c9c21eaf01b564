"""Engines that run here: each equals ONNX Runtime; 'auto' tests itself and tells every reason."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import AssetError, ConfigError
from engine.generator.graphs import load
from engine.generator.manifest import read_bundle
from engine.generator.variants import TINY_LIVE
from engine.runtime import Check, available_threads, open_session, sessions
from engine.runtime.engines import ENGINES, BuildContext
from engine.runtime.sessions import pick, probe
from engine.values import Floats
from tests.engine.generator import scenes
from tests.engine.generator.exported import bundle

TORCH = BuildContext(torch_module=load)
HERE = ("onnxruntime", "openvino", "torch")


@pytest.fixture(scope="module")
def graphs() -> dict[str, Path]:
    """The tiny live generator with heads that are not zero, exported."""
    _, folder = bundle(TINY_LIVE)
    return {name: folder / f"{name}.onnx" for name in ("source", "frame")}


def answer(path: Path, engine: str, threads: int = 2) -> dict[str, Floats]:
    session = open_session(path, engine, threads=threads, context=TORCH)
    assert session.engine == engine
    return {name: values.copy() for name, values in session.run(probe(session.inputs)).items()}


@pytest.mark.parametrize("graph", ["source", "frame"])
@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_each_exact_engine_equals_onnx_runtime(graphs: dict[str, Path], engine: str, graph: str) -> None:
    wanted, got = answer(graphs[graph], "onnxruntime"), answer(graphs[graph], engine)
    assert list(got) == list(wanted)
    for name, values in wanted.items():
        assert values.std() > 0.01
        assert scenes.decibels(got[name], values, peak=float(np.ptp(values))) >= 80, name


@pytest.mark.parametrize("engine", HERE)
def test_one_thread_gives_the_same(graphs: dict[str, Path], engine: str) -> None:
    np.testing.assert_allclose(
        answer(graphs["frame"], engine, threads=1)["state"], answer(graphs["frame"], engine)["state"], atol=1e-4
    )


@pytest.mark.parametrize("engine", HERE)
def test_further_names_are_ignored_and_inputs_may_die(graphs: dict[str, Path], engine: str) -> None:
    session = open_session(graphs["frame"], engine, context=TORCH)
    first = session.run({**probe(session.inputs), "further": np.zeros(3, np.float32)})["state"].copy()
    for _ in range(5):  # the arrays of each run are freed before the next
        assert np.array_equal(session.run(probe(session.inputs))["state"], first)


class Stub:
    """A session that answers one thing."""

    engine = "stub"

    def __init__(self, state: Floats) -> None:
        self.inputs: Mapping[str, tuple[int, ...]] = {"z": (1, 3)}
        self._state, self.closed = state, False

    def run(self, feeds: Mapping[str, Floats]) -> dict[str, Floats]:
        return {"state": self._state}

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> "Stub":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def test_auto_takes_the_first_that_passes_its_self_test(graphs: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    right = Check({"state": pick(answer(graphs["frame"], "onnxruntime")["state"])})
    assert open_session(graphs["frame"], check=right).engine == "openvino"
    wrong = Stub(np.full(100, np.nan, np.float32))
    monkeypatch.setattr("engine.runtime.openvino_backend.open_graph", lambda *_: wrong)
    assert open_session(graphs["frame"], check=right).engine == "onnxruntime"
    assert wrong.closed


def test_when_none_passes_every_reason_is_told(graphs: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES, "openvino", replace(ENGINES["openvino"], module="engine.runtime.is_not_installed"))
    with pytest.raises(AssetError, match=r"openvino: cannot be imported.*onnxruntime: its self-test of 'state' was off by"):
        open_session(graphs["frame"], check=Check({"state": np.full(64, 5.0, np.float32)}))


@pytest.mark.parametrize("engine", HERE)
def test_a_broken_file_is_refused_in_a_sentence(tmp_path: Path, engine: str) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"not a graph")
    with pytest.raises(AssetError, match=f"No engine could run .*{engine}: "):
        open_session(tmp_path / "broken.onnx", engine, context=TORCH)
    with pytest.raises(AssetError, match="there is no such file"):
        open_session(tmp_path / "absent.onnx", engine)


@pytest.mark.parametrize("engine", HERE)
def test_a_graph_of_other_shapes_is_refused_by_name(graphs: dict[str, Path], engine: str) -> None:
    check = Check({}, {"guide": (1, 5, 999, 999)})
    with pytest.raises(AssetError, match=r"its 'guide' has the shape \(1, 5, \d+, \d+\), wanted was \(1, 5, 999, 999\)"):
        open_session(graphs["frame"], engine, check=check, context=TORCH)
    with pytest.raises(AssetError, match="no output 'picture' of the stored size"):
        open_session(graphs["frame"], engine, context=TORCH, check=Check({"picture": np.zeros(64, np.float32)}))


def test_a_bundles_shapes_are_those_of_its_graphs(graphs: dict[str, Path]) -> None:
    made = read_bundle(graphs["frame"].parent)
    for graph in ("source", "frame"):
        assert dict(made.open(graph, "onnxruntime").inputs) == made.checks[graph].inputs


@pytest.mark.parametrize(
    ("off", "exact", "complaint"),
    [
        (1e-4, True, None),
        (0.01, True, "was off by"),
        (0.01, False, None),  # 46 dB of values that reach from −1 to 1
        (0.1, False, "agrees to 26 dB, at least 40"),
        (np.inf, False, "not finite"),
    ],
)
def test_engines_must_be_as_right_as_they_claim(off: float, exact: bool, complaint: str | None) -> None:
    expected = np.linspace(-1, 1, 64, dtype=np.float32)
    got = Check({"state": expected}).complaint(Stub(expected + np.float32(off)), exact=exact)
    assert (got is None) == (complaint is None)
    assert complaint is None or complaint in str(got)


def test_an_unknown_engine_is_refused_with_the_choice() -> None:
    with pytest.raises(ConfigError, match=r"The engine must be auto, torch, onnxruntime, .*tensorrt; got 'cuda'"):
        open_session(Path("frame.onnx"), "cuda")


def test_threads_are_those_of_this_process() -> None:
    assert 1 <= available_threads() <= sessions.MOST_THREADS


def test_ctrl_c_is_survived_whatever_the_order_in_which_sessions_end() -> None:
    """Each OpenVINO core moves the signal stack of its thread; sessions that end out of order must not leave a freed one."""
    script = """
import gc, os, signal
from engine.runtime import open_session
from engine.generator.manifest import LIVE_BUNDLE
signal.signal(signal.SIGTERM, lambda *_: print("handled"))
first, second = (open_session(LIVE_BUNDLE / name, "openvino", threads=1) for name in ("source.onnx", "frame.onnx"))
del first; gc.collect()
del second; gc.collect()
os.kill(os.getpid(), signal.SIGTERM)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr
