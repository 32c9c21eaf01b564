"""ONNX Runtime: the only module that imports it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnxruntime

from engine.errors import AssetError
from engine.resource import Resource
from engine.runtime.engines import BuildContext
from engine.values import Floats

# Its exceptions share no base class of their own.
_STATE = onnxruntime.capi.onnxruntime_pybind11_state
_FAILURES: tuple[type[Exception], ...] = (
    RuntimeError,
    ValueError,  # a provider that this build does not have
    *(kind for kind in vars(_STATE).values() if isinstance(kind, type) and issubclass(kind, Exception)),
)
_ON_NVIDIA = ("CUDA", "Tensorrt")


class OnnxRuntimeSession(Resource):
    """A graph on one of ONNX Runtime's execution providers."""

    engine = ""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self.inputs: Mapping[str, tuple[int, ...]] = {port.name: tuple(port.shape) for port in session.get_inputs()}
        self._outputs = [port.name for port in session.get_outputs()]
        self._session: Any = session

    def run(self, feeds: Mapping[str, Floats]) -> dict[str, Floats]:
        """See ``GraphSession.run``."""
        arrays = self._session.run(None, {name: feeds[name] for name in self.inputs})
        return dict(zip(self._outputs, arrays, strict=True))

    def close(self) -> None:
        """See ``GraphSession.close``."""
        self._session = None


def missing(provider: str) -> str | None:
    """What this build of the library lacks, or None."""
    if f"{provider}ExecutionProvider" in onnxruntime.get_available_providers():
        return None
    return f"this onnxruntime {onnxruntime.__version__} was built without {provider}"


def open_graph(path: Path, provider: str, threads: int, context: BuildContext) -> OnnxRuntimeSession:
    """Load and optimise; raises AssetError."""
    del context  # nothing is kept: it is ready in a moment, except for TensorRT, which has an engine of its own
    onnxruntime.disable_telemetry_events()
    if provider in _ON_NVIDIA:
        onnxruntime.preload_dlls()  # CUDA's libraries, where they were installed as Python packages
    options = _options()
    options.intra_op_num_threads = threads
    options.enable_mem_pattern = provider != "Dml"  # which cannot have it
    # Waiting threads must not spin: they would take the cores from the stages that follow.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=[f"{provider}ExecutionProvider"])
        session.disable_fallback()
        if session.get_providers()[0] != f"{provider}ExecutionProvider":  # it goes on without one that does not start
            raise AssetError(f"its {provider} does not start on this machine")
        return OnnxRuntimeSession(session)
    except _FAILURES as error:
        raise AssetError(f"cannot load it, {error}") from error


def folded(path: Path) -> bytes:
    """The graph with all that is constant computed, in plain ONNX operators; raises AssetError."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "folded.onnx"
        try:
            for source in (path, out):  # twice: what the first pass takes apart, the second folds
                options = _options()
                options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
                options.optimized_model_filepath = str(out)
                onnxruntime.InferenceSession(source.read_bytes(), options, providers=["CPUExecutionProvider"])
            return out.read_bytes()
        except _FAILURES as error:
            raise AssetError(f"cannot fold it, {error}") from error


def _options() -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only; they are raised as well
    return options
