"""CUDA graphs, streams and buffers: the order of calls, on a stand-in for torch.cuda."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch

from engine.runtime.device import WARM_UPS, DeviceBuffer, DeviceSession, DeviceStream


def test_on_the_cpu_a_session_runs_its_work_on_its_buffers() -> None:
    lane = DeviceStream("cpu")
    ports, answers = {"a": DeviceBuffer((2, 2), lane), "b": DeviceBuffer((2, 2), lane)}, {"sum": DeviceBuffer((2, 2), lane)}

    def work() -> None:
        torch.add(ports["a"].tensor, ports["b"].tensor, out=answers["sum"].tensor)

    session = DeviceSession(ports, answers, lane, work)
    assert session.inputs == {"a": (2, 2), "b": (2, 2)}
    feeds = {"a": np.ones((2, 2), np.float32), "b": np.eye(2, dtype=np.float32), "further": np.zeros(1, np.float32)}
    np.testing.assert_array_equal(session.run(feeds)["sum"], feeds["a"] + feeds["b"])


class Stream:
    cuda_stream = 7

    def __init__(self, log: list[str]) -> None:
        self._log = log

    def synchronize(self) -> None:
        self._log.append("wait")


class FakeCuda:
    """Notes what is asked of it; a captured graph runs its work again, as a real one does."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def Stream(self, _device: object) -> Stream:  # noqa: N802 — torch's name
        return Stream(self.log)

    @contextmanager
    def stream(self, stream: Stream) -> Iterator[None]:
        assert stream.cuda_stream == 7
        self.log.append("enter")
        yield
        self.log.append("leave")

    def CUDAGraph(self) -> Any:  # noqa: N802 — torch's name
        cuda = self

        class Graph:
            def replay(self) -> None:
                cuda.log.append("replay")

        return Graph()

    @contextmanager
    def graph(self, _graph: object, *, stream: Stream, capture_error_mode: str) -> Iterator[None]:
        assert (stream.cuda_stream, capture_error_mode) == (7, "thread_local")
        self.log.append("capture")
        yield
        self.log.append("captured")


def test_on_a_gpu_work_is_warmed_up_captured_once_and_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = FakeCuda()
    for name in ("Stream", "stream", "CUDAGraph", "graph"):
        monkeypatch.setattr(torch.cuda, name, getattr(cuda, name))
    lane = DeviceStream("cuda")
    assert lane.handle == 7
    launch = lane.captured(lambda: cuda.log.append("work"))
    assert cuda.log == ["enter", *["work"] * WARM_UPS, "leave", "wait", "capture", "work", "captured"]
    cuda.log.clear()
    launch()
    lane.finish()
    assert cuda.log == ["replay", "wait"]
