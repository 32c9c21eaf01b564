"""ONNX Runtime: the only module that imports it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnxruntime

from engine.errors import AssetError
from engine.values import Floats

# Its exceptions share no base class of their own.
_STATE = onnxruntime.capi.onnxruntime_pybind11_state
_FAILURES: tuple[type[Exception], ...] = (
    RuntimeError,
    *(kind for kind in vars(_STATE).values() if isinstance(kind, type) and issubclass(kind, Exception)),
)


class OnnxRuntimeSession:
    """A graph on ONNX Runtime's CPU provider."""

    backend = "onnxruntime"

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self.inputs: Mapping[str, tuple[int, ...]] = {port.name: tuple(port.shape) for port in session.get_inputs()}
        self._outputs = [port.name for port in session.get_outputs()]
        self._session = session

    def run(self, feeds: Mapping[str, Floats]) -> dict[str, Floats]:
        """See ``Session.run``."""
        arrays = self._session.run(None, {name: feeds[name] for name in self.inputs})
        return dict(zip(self._outputs, arrays, strict=True))


def open_graph(path: Path, threads: int) -> OnnxRuntimeSession:
    """Load and optimise; raises AssetError."""
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors only; they are raised as well
    # Waiting threads must not spin: they would take the cores from the stages that follow.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return OnnxRuntimeSession(onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]))
    except _FAILURES as error:
        raise AssetError(f"cannot load it, {error}") from error
