"""TensorRT: the only module that imports it. Half precision by the graph's own types, batch 1, fixed shapes, a CUDA graph.

Not verified on a GPU so far: the order of calls is held against a stand-in for the library, the graph that it is given against
ONNX Runtime.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorrt
import torch

from engine.errors import AssetError
from engine.runtime.cache import EngineKey
from engine.runtime.device import DeviceBuffer, DeviceSession, DeviceStream
from engine.runtime.engines import BuildContext
from engine.runtime.fp16_graph import with_fp16
from engine.runtime.nvidia import first_gpu
from engine.runtime.onnxruntime_backend import folded

DEVICE = "cuda"
WORKSPACE_BYTES = 1 << 30


def missing(precision: str) -> str | None:
    """What this machine lacks, or None."""
    del precision
    return None if torch.cuda.is_available() else "torch finds no CUDA"


def open_graph(path: Path, precision: str, threads: int, context: BuildContext) -> DeviceSession:
    """The plan of a graph from the cache, or built (minutes); raises AssetError."""
    del threads  # all is done by the GPU
    lane, log = DeviceStream(DEVICE), TensorRtLog()
    runtime, key = tensorrt.Runtime(log), key_of(path, precision)
    kept = context.cache.get(path.stem, key)
    engine = None if kept is None else runtime.deserialize_cuda_engine(kept)
    if engine is None:
        plan = built(with_fp16(folded(path)), log, context.progress)
        engine = runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise AssetError(f"TensorRT cannot load what it built, {log.last}")
        context.cache.put(path.stem, key, plan)
    return session_of(engine, lane, log)


def key_of(path: Path, precision: str) -> EngineKey:
    """What a plan depends on."""
    gpu = first_gpu()
    return EngineKey(
        engine="tensorrt",
        device=gpu.name if gpu else "",
        driver=gpu.driver if gpu else "",
        library=tensorrt.__version__,
        graph_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        precision=precision,
    )


def built(graph: bytes, log: TensorRtLog, progress: Callable[[float], bool]) -> bytes:
    """The plan of a graph; raises AssetError."""
    builder = tensorrt.Builder(log)
    network = builder.create_network(1 << int(tensorrt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = tensorrt.OnnxParser(network, log)
    if not parser.parse(graph):
        problems = "; ".join(str(parser.get_error(number)) for number in range(parser.num_errors))
        raise AssetError(f"TensorRT cannot read the graph, {problems}")
    config = builder.create_builder_config()
    config.set_memory_pool_limit(tensorrt.MemoryPoolType.WORKSPACE, WORKSPACE_BYTES)
    config.progress_monitor = BuildProgress(progress)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise AssetError(f"TensorRT cannot build the graph, {log.last}")
    return bytes(plan)


def session_of(engine: Any, lane: DeviceStream, log: TensorRtLog) -> DeviceSession:
    """A loaded plan with its buffers and its CUDA graph; raises AssetError."""
    context = engine.create_execution_context()
    if context is None:
        raise AssetError(f"TensorRT cannot make an execution context, {log.last}")
    ports: dict[str, DeviceBuffer] = {}
    answers: dict[str, DeviceBuffer] = {}
    for name in (engine.get_tensor_name(number) for number in range(engine.num_io_tensors)):
        port = DeviceBuffer(tuple(engine.get_tensor_shape(name)), lane)
        context.set_tensor_address(name, port.tensor.data_ptr())
        is_input = engine.get_tensor_mode(name) == tensorrt.TensorIOMode.INPUT
        (ports if is_input else answers)[name] = port

    def work() -> None:
        if not context.execute_async_v3(lane.handle):
            raise AssetError(f"TensorRT does not run, {log.last}")

    return DeviceSession(ports, answers, lane, work)


class TensorRtLog(tensorrt.ILogger):  # type: ignore[misc]
    """Keeps the last thing that TensorRT complained of, and is silent otherwise."""

    def __init__(self) -> None:
        tensorrt.ILogger.__init__(self)
        self.last = "and says nothing of why"

    def log(self, severity: Any, message: str) -> None:
        """TensorRT calls this."""
        if severity in (tensorrt.ILogger.Severity.ERROR, tensorrt.ILogger.Severity.INTERNAL_ERROR):
            self.last = " ".join(message.split())


class BuildProgress(tensorrt.IProgressMonitor):  # type: ignore[misc]
    """How far a build is, 0…1, by the steps of its outermost phase."""

    def __init__(self, tell: Callable[[float], bool]) -> None:
        tensorrt.IProgressMonitor.__init__(self)
        self._tell = tell
        self._outermost, self._steps, self._done = "", 1, 0.0

    def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
        """TensorRT calls this."""
        if parent_phase is None:
            self._outermost, self._steps = phase_name, max(1, num_steps)

    def step_complete(self, phase_name: str, step: int) -> bool:
        """TensorRT calls this, from several threads; True = go on."""
        if phase_name == self._outermost:
            self._done = (step + 1) / self._steps
        return self._tell(self._done)

    def phase_finish(self, phase_name: str) -> None:
        """TensorRT calls this."""
