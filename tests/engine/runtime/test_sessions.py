"""Backends: each equals ONNX Runtime; 'auto' tests itself and tells every reason."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from engine.errors import AssetError, ConfigError
from engine.generator.variants import TINY_LIVE
from engine.runtime import BACKENDS, Check, available_threads, open_session, sessions
from engine.runtime.sessions import pick, probe
from engine.values import Floats
from tests.engine.generator import scenes
from tests.engine.generator.exported import bundle


@pytest.fixture(scope="module")
def graphs() -> dict[str, Path]:
    """The tiny live generator with heads that are not zero, exported."""
    _, folder = bundle(TINY_LIVE)
    return {name: folder / f"{name}.onnx" for name in ("source", "frame")}


def answer(path: Path, backend: str, threads: int = 2) -> dict[str, Floats]:
    session = open_session(path, backend, threads=threads)
    assert session.backend == backend
    return {name: values.copy() for name, values in session.run(probe(session.inputs)).items()}


@pytest.mark.parametrize("graph", ["source", "frame"])
@pytest.mark.parametrize("backend", [name for name in BACKENDS if name != "onnxruntime"])
def test_each_backend_equals_onnx_runtime(graphs: dict[str, Path], backend: str, graph: str) -> None:
    wanted, got = answer(graphs[graph], "onnxruntime"), answer(graphs[graph], backend)
    assert list(got) == list(wanted)
    for name, values in wanted.items():
        assert values.std() > 0.01
        assert scenes.decibels(got[name], values, peak=float(np.ptp(values))) >= 80, name


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_thread_gives_the_same(graphs: dict[str, Path], backend: str) -> None:
    np.testing.assert_allclose(
        answer(graphs["frame"], backend, threads=1)["state"], answer(graphs["frame"], backend)["state"], atol=1e-4
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_further_names_are_ignored_and_inputs_may_die(graphs: dict[str, Path], backend: str) -> None:
    session = open_session(graphs["frame"], backend)
    first = session.run({**probe(session.inputs), "further": np.zeros(3, np.float32)})["state"].copy()
    for _ in range(5):  # the arrays of each run are freed before the next
        assert np.array_equal(session.run(probe(session.inputs))["state"], first)


def test_auto_takes_the_first_that_passes_its_self_test(graphs: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    right = Check({"state": pick(answer(graphs["frame"], "onnxruntime")["state"])})
    assert open_session(graphs["frame"], check=right).backend == "openvino"

    def wrong(path: Path, threads: int) -> object:
        class Wrong:
            backend = "openvino"
            inputs: Mapping[str, tuple[int, ...]] = {}

            def run(self, feeds: Mapping[str, Floats]) -> dict[str, Floats]:
                return {"state": np.full(100, np.nan, np.float32)}

        return Wrong()

    monkeypatch.setattr("engine.runtime.openvino_backend.open_graph", wrong)
    assert open_session(graphs["frame"], check=right).backend == "onnxruntime"


def test_when_none_passes_every_reason_is_told(graphs: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sessions.BACKENDS, "openvino", "engine.runtime.is_not_installed")
    with pytest.raises(AssetError, match=r"openvino: cannot be imported.*onnxruntime: its self-test of 'state' was off by"):
        open_session(graphs["frame"], check=Check({"state": np.full(64, 5.0, np.float32)}))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_broken_file_is_refused_in_a_sentence(tmp_path: Path, backend: str) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"not a graph")
    with pytest.raises(AssetError, match=f"No backend could run .*{backend}: "):
        open_session(tmp_path / "broken.onnx", backend)
    with pytest.raises(AssetError, match="there is no such file"):
        open_session(tmp_path / "absent.onnx", backend)


def test_an_unknown_backend_is_refused_with_the_choice() -> None:
    with pytest.raises(ConfigError, match="auto, openvino, onnxruntime, torch; got 'cuda'"):
        open_session(Path("frame.onnx"), "cuda")


def test_threads_are_those_of_this_process() -> None:
    assert 1 <= available_threads() <= sessions.MOST_THREADS


def test_ctrl_c_is_survived_whatever_the_order_in_which_sessions_end() -> None:
    """Each OpenVINO core moves the signal stack of its thread; sessions that end out of order must not leave a freed one."""
    script = """
import gc, os, signal
from engine.runtime import open_session
from engine.runtime.bundle import LIVE_BUNDLE
signal.signal(signal.SIGTERM, lambda *_: print("handled"))
first, second = (open_session(LIVE_BUNDLE / name, "openvino", threads=1) for name in ("source.onnx", "frame.onnx"))
del first; gc.collect()
del second; gc.collect()
os.kill(os.getpid(), signal.SIGTERM)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr
