"""TensorRT, on a stand-in for it: order of calls, cache, and the very graph that it is given, computed by ONNX Runtime."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from engine.errors import AssetError
from engine.generator.manifest import read_bundle
from engine.generator.variants import TINY_LIVE
from engine.runtime.cache import EngineCache
from engine.runtime.engines import BuildContext
from engine.runtime.nvidia import Gpu
from engine.runtime.sessions import decibels, open_session, probe
from tests.engine.generator.exported import bundle
from tests.engine.runtime import fake_tensorrt


@pytest.fixture
def tensorrt(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The backend, with the stand-in and on the CPU's memory."""
    monkeypatch.setitem(sys.modules, "tensorrt", fake_tensorrt)
    monkeypatch.delitem(sys.modules, "engine.runtime.tensorrt_backend", raising=False)
    module = importlib.import_module("engine.runtime.tensorrt_backend")
    monkeypatch.setattr(module, "DEVICE", "cpu")
    monkeypatch.setattr(module, "first_gpu", lambda: Gpu("RTX", "13.0"))
    fake_tensorrt.calls.clear()
    fake_tensorrt.faults.clear()
    yield module
    sys.modules.pop("engine.runtime.tensorrt_backend", None)


@pytest.fixture
def frame() -> Path:
    return bundle(TINY_LIVE)[1] / "frame.onnx"


def context(folder: Path, shares: list[float] | None = None) -> BuildContext:
    told = shares if shares is not None else []
    return BuildContext(EngineCache(folder), lambda share: told.append(share) is None)


def test_it_answers_as_the_reference(tensorrt: ModuleType, frame: Path, tmp_path: Path) -> None:
    shares: list[float] = []
    session = tensorrt.open_graph(frame, "fp16", 1, context(tmp_path, shares))
    assert shares == [0.0, 0.5]  # after a step of an inner phase, and of the outermost
    reference = open_session(frame, "onnxruntime")
    assert dict(session.inputs) == dict(reference.inputs)
    for scale in (1.0, -0.5):  # the second run overwrites the first one's buffers
        feeds = {name: np.float32(scale) * values for name, values in probe(reference.inputs).items()}
        got, wanted = session.run(feeds)["state"], reference.run(feeds)["state"]
        assert decibels(got, wanted, peak=1.0) >= 60
    check = read_bundle(frame.parent).checks["frame"]
    assert check.complaint(session, exact=False) is None


def test_a_plan_is_built_once(tensorrt: ModuleType, frame: Path, tmp_path: Path) -> None:
    tensorrt.open_graph(frame, "fp16", 1, context(tmp_path))
    assert fake_tensorrt.calls == ["parse", "build", "load", "context"]
    tensorrt.open_graph(frame, "fp16", 1, context(tmp_path))
    assert fake_tensorrt.calls[4:] == ["load", "context"]


def test_a_plan_for_another_driver_or_one_that_does_not_load_is_built_anew(
    tensorrt: ModuleType, frame: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensorrt.open_graph(frame, "fp16", 1, context(tmp_path))
    monkeypatch.setattr(tensorrt, "first_gpu", lambda: Gpu("RTX", "13.1"))
    tensorrt.open_graph(frame, "fp16", 1, context(tmp_path))
    assert fake_tensorrt.calls[4:] == ["parse", "build", "load", "context"]
    EngineCache(tmp_path).put("frame", tensorrt.key_of(frame, "fp16"), b"whole, but not a plan")
    tensorrt.open_graph(frame, "fp16", 1, context(tmp_path))
    assert fake_tensorrt.calls[8:] == ["load", "parse", "build", "load", "context"]


def test_without_a_cache_it_works_too(tensorrt: ModuleType, frame: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    session = tensorrt.open_graph(frame, "fp16", 1, context(tmp_path / "file"))
    assert np.isfinite(session.run(probe(session.inputs))["state"]).all()


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("parse", "cannot read the graph, no importer for an operator"),
        ("build", "cannot build the graph, out of memory"),
        ("load", "cannot load what it built"),
        ("context", "cannot make an execution context"),
    ],
)
def test_what_the_library_refuses_becomes_a_sentence(
    tensorrt: ModuleType, frame: Path, tmp_path: Path, fault: str, sentence: str
) -> None:
    fake_tensorrt.faults.add(fault)
    with pytest.raises(AssetError, match=f"TensorRT {sentence}"):
        tensorrt.open_graph(frame, "fp16", 1, context(tmp_path))


def test_a_run_that_fails_raises(tensorrt: ModuleType, frame: Path, tmp_path: Path) -> None:
    session = tensorrt.open_graph(frame, "fp16", 1, context(tmp_path))
    fake_tensorrt.faults.add("execute")
    with pytest.raises(AssetError, match="TensorRT does not run"):
        session.run(probe(session.inputs))


def test_a_build_is_given_up_when_asked(tensorrt: ModuleType) -> None:
    monitor = tensorrt.BuildProgress(lambda share: share < 0.5)
    monitor.phase_start("Building", None, 4)
    assert [monitor.step_complete("Building", step) for step in range(3)] == [True, False, False]
