"""OpenVINO: the only module that imports it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from engine.errors import AssetError
from engine.resource import Resource
from engine.runtime.engines import BuildContext
from engine.values import Floats

# Importing openvino imports its model converter, which reports "import" to its makers and writes a client number into the home
# directory. Where its tools are not installed, openvino goes on without; what is None here cannot be imported.
sys.modules["openvino.tools"] = None  # type: ignore[assignment]

import openvino  # noqa: E402


class OpenVinoSession(Resource):
    """A compiled graph on the CPU."""

    engine = ""

    def __init__(self, model: openvino.CompiledModel) -> None:
        # Node names: a port may have further names, of what was folded into it.
        self.inputs: Mapping[str, tuple[int, ...]] = {port.node.friendly_name: tuple(port.shape) for port in model.inputs}
        self._outputs = [port.node.friendly_name.removesuffix("/sink_port_0") for port in model.outputs]
        self._request: Any = model.create_infer_request()
        self._feeds: dict[str, Floats] = {}

    def run(self, feeds: Mapping[str, Floats]) -> dict[str, Floats]:
        """See ``GraphSession.run``."""
        # Kept until the next run: OpenVINO reads shared arrays without holding them, and a freed one gives NaN.
        self._feeds = {name: feeds[name] for name in self.inputs}
        result = self._request.infer(self._feeds, share_inputs=True, share_outputs=True)
        return {name: result[number] for number, name in enumerate(self._outputs)}

    def close(self) -> None:
        """See ``GraphSession.close``."""
        self._request, self._feeds = None, {}


def missing(precision: str) -> str | None:
    """What this processor lacks for the precision, or None."""
    capabilities = _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "this processor does not compute in bfloat16" if precision == "bf16" and "BF16" not in capabilities else None


def open_graph(path: Path, precision: str, threads: int, context: BuildContext) -> OpenVinoSession:
    """Compile for low latency; raises AssetError."""
    del context  # nothing is kept: compiling takes half a second
    try:
        return OpenVinoSession(_core().compile_model(str(path), "CPU", _settings(precision, threads)))
    except RuntimeError as error:
        raise AssetError(f"cannot read or compile it, {str(error).strip().splitlines()[-1]}") from error


def open_lite(content: bytes, shape: tuple[int, ...]) -> OpenVinoSession:
    """A TensorFlow Lite network with one input, which shall have that shape; one thread. Raises AssetError, OSError."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # OpenVINO reads this format from files only
        path = Path(folder) / "network.tflite"
        path.write_bytes(content)
        try:
            model = _core().read_model(str(path))
            model.reshape(shape)
            return OpenVinoSession(_core().compile_model(model, "CPU", _settings("f32", 1)))
        except RuntimeError as error:
            raise AssetError(f"cannot read or compile it, {str(error).strip().splitlines()[-1]}") from error


def _settings(precision: str, threads: int) -> dict[str, str | int | bool]:
    """float32 unless bfloat16 is asked for, also where the CPU has it. No pinning: other stages use the same cores."""
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": threads,
        "ENABLE_CPU_PINNING": False,
    }


@cache
def _core() -> openvino.Core:
    """One for the whole process, never given back.

    Each core sets the signal stack of the thread that makes it and puts the former one back at its end; two that do not end in
    the reverse order leave a freed stack, on which the next Ctrl-C crashes.
    """
    return openvino.Core()
