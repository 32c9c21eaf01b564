"""Graphs on torch tensors that stay where they are: on the GPU, or for tests on the CPU. All buffers are made at start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.resource import Resource
from engine.values import Floats

WARM_UPS = 3  # runs before a CUDA graph is captured: lazily made things must be made by then


class DeviceStream:
    """A device with the stream on which everything of one engine happens, in order."""

    def __init__(self, device: str) -> None:
        self.device = torch.device(device)
        self.stream: Any = torch.cuda.Stream(self.device) if self.on_gpu else None  # type: ignore[no-untyped-call]

    @property
    def on_gpu(self) -> bool:
        """Whether there is a GPU under it."""
        return self.device.type == "cuda"

    @property
    def handle(self) -> int:
        """The stream, as CUDA's own functions name it."""
        return int(self.stream.cuda_stream) if self.on_gpu else 0

    def entered(self) -> AbstractContextManager[Any]:
        """Within, work is queued on the stream, and nothing is kept for derivatives."""
        return torch.cuda.stream(self.stream) if self.on_gpu else nullcontext()

    def captured(self, work: Callable[[], None]) -> Callable[[], None]:
        """Work on fixed buffers as a CUDA graph: one launch instead of hundreds. On the CPU the work itself."""
        if not self.on_gpu:
            return work
        with self.entered():
            for _ in range(WARM_UPS):
                work()
        self.stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        # thread_local: what another engine does meanwhile on its own thread must not spoil the capture
        with torch.cuda.graph(graph, stream=self.stream, capture_error_mode="thread_local"):
            work()
        return graph.replay

    def finish(self) -> None:
        """Waits for what was queued."""
        if self.on_gpu:
            self.stream.synchronize()


class DeviceBuffer:
    """A buffer on the device with its twin in host memory that cannot be paged out, so that copies need no detour."""

    def __init__(self, shape: tuple[int, ...], lane: DeviceStream, dtype: torch.dtype = torch.float32) -> None:
        self.tensor = torch.zeros(shape, dtype=dtype, device=lane.device)
        self._host = torch.zeros(shape, dtype=dtype, pin_memory=lane.on_gpu)
        self.array = self._host.numpy()

    def upload(self, values: Any) -> None:
        """Queues host array → device. The array may change once this returns, the twin only after ``DeviceStream.finish``."""
        np.copyto(self.array, values)
        self.tensor.copy_(self._host, non_blocking=True)

    def download(self) -> None:
        """Queues device → ``array``, which holds it after ``DeviceStream.finish``."""
        self._host.copy_(self.tensor, non_blocking=True)


class DeviceSession(Resource):
    """A ``GraphSession`` whose ``work`` runs on fixed buffers; others on the device may read and write them too.

    ports    name → input buffer
    answers  name → output buffer
    """

    engine = ""

    def __init__(
        self, ports: Mapping[str, DeviceBuffer], answers: Mapping[str, DeviceBuffer], lane: DeviceStream, work: Callable[[], None]
    ) -> None:
        self.ports, self.answers, self.lane = ports, answers, lane
        self.inputs: Mapping[str, tuple[int, ...]] = {name: tuple(port.tensor.shape) for name, port in ports.items()}
        self.launch = lane.captured(work)

    def run(self, feeds: Mapping[str, Floats]) -> dict[str, Floats]:
        """See ``GraphSession.run``."""
        with torch.inference_mode(), self.lane.entered():
            for name, port in self.ports.items():
                port.upload(feeds[name])
            self.launch()
            for port in self.answers.values():
                port.download()
        self.lane.finish()
        return {name: port.array for name, port in self.answers.items()}

    def close(self) -> None:
        """See ``GraphSession.close``: waits for what was queued, and lets the buffers and what works on them go."""
        self.lane.finish()
        self.ports, self.answers, self.launch = {}, {}, _nothing


def _nothing() -> None:
    """What a closed session does."""


def tensors(ports: Mapping[str, DeviceBuffer]) -> list[Tensor]:
    """The buffers, in order."""
    return [port.tensor for port in ports.values()]
