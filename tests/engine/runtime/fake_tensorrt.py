"""A stand-in for the library: as strict about the order of calls, and it really computes, by ONNX Runtime on the same memory."""

from __future__ import annotations

import ctypes
import enum
from typing import Any

import numpy as np
import onnxruntime

__version__ = "11.0.fake"

MAGIC = b"plan:"
calls: list[str] = []
faults: set[str] = set()  # the names of calls that shall fail, as the library fails: by None or False


class NetworkDefinitionCreationFlag(enum.IntEnum):
    STRONGLY_TYPED = 1


class MemoryPoolType(enum.Enum):
    WORKSPACE = 0


class TensorIOMode(enum.Enum):
    NONE = 0
    INPUT = 1
    OUTPUT = 2


class ILogger:
    class Severity(enum.Enum):
        INTERNAL_ERROR = 0
        ERROR = 1
        WARNING = 2

    def __init__(self) -> None:
        self.made = True


class IProgressMonitor:
    def __init__(self) -> None:
        self.made = True


def called(name: str) -> bool:
    """Notes a call; False when it shall fail."""
    calls.append(name)
    return name not in faults


class Network:
    def __init__(self, flags: int) -> None:
        assert flags & 1 << NetworkDefinitionCreationFlag.STRONGLY_TYPED
        self.graph = b""


class OnnxParser:
    num_errors = 1

    def __init__(self, network: Network, log: Any) -> None:
        assert log.made
        self._network = network

    def parse(self, graph: bytes) -> bool:
        self._network.graph = graph
        return called("parse")

    def get_error(self, number: int) -> str:
        assert number < self.num_errors
        return "no importer for an operator"


class Config:
    progress_monitor: Any = None

    def set_memory_pool_limit(self, pool: MemoryPoolType, size: int) -> None:
        assert pool is MemoryPoolType.WORKSPACE
        assert size > 0


class Builder:
    def __init__(self, log: Any) -> None:
        assert log.made
        self._log = log

    def create_network(self, flags: int) -> Network:
        return Network(flags)

    def create_builder_config(self) -> Config:
        return Config()

    def build_serialized_network(self, network: Network, config: Config) -> memoryview | None:
        assert network.graph
        monitor = config.progress_monitor
        assert monitor.made
        monitor.phase_start("Building", None, 4)
        monitor.phase_start("Tactics", "Building", 100)
        assert monitor.step_complete("Tactics", 50)
        assert monitor.step_complete("Building", 1)
        monitor.phase_finish("Tactics")
        monitor.phase_finish("Building")
        if not called("build"):
            self._log.log(ILogger.Severity.ERROR, "out of\n memory")
            return None
        return memoryview(MAGIC + network.graph)


class Context:
    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._addresses: dict[str, int] = {}

    def set_tensor_address(self, name: str, address: int) -> bool:
        self._addresses[name] = address
        return True

    def execute_async_v3(self, stream: int) -> bool:
        assert stream == 0  # the test's lane is the CPU
        if not called("execute"):
            return False
        feeds = {port.name: self._memory(port) for port in self._session.get_inputs()}
        answers = self._session.run(None, feeds)
        for port, values in zip(self._session.get_outputs(), answers, strict=True):
            np.copyto(self._memory(port), values)
        return True

    def _memory(self, port: Any) -> Any:
        """The tensor's own memory, found by its address alone."""
        assert port.type == "tensor(float)"
        floats = ctypes.c_float * int(np.prod(port.shape))
        return np.frombuffer(floats.from_address(self._addresses[port.name]), np.float32).reshape(port.shape)


class CudaEngine:
    def __init__(self, graph: bytes) -> None:
        self._session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        ports = self._session.get_inputs(), self._session.get_outputs()
        self._ports = {port.name: (tuple(port.shape), mode) for mode, side in zip((1, 2), ports, strict=True) for port in side}
        self.num_io_tensors = len(self._ports)

    def get_tensor_name(self, number: int) -> str:
        return list(self._ports)[number]

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return self._ports[name][0]

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        return TensorIOMode(self._ports[name][1])

    def create_execution_context(self) -> Context | None:
        return Context(self._session) if called("context") else None


class Runtime:
    def __init__(self, log: Any) -> None:
        assert log.made

    def deserialize_cuda_engine(self, plan: bytes) -> CudaEngine | None:
        return CudaEngine(plan[len(MAGIC) :]) if called("load") and plan.startswith(MAGIC) else None
