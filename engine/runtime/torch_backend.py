"""torch: runs the module itself, with the weights that are stored in the exported graph. The reference."""

from __future__ import annotations

from pathlib import Path

import torch

from engine.errors import AssetError
from engine.runtime.device import DeviceBuffer, DeviceSession, DeviceStream, tensors
from engine.runtime.engines import BuildContext


def missing(device: str) -> str | None:
    """What this build of the library lacks for the device, or None."""
    return "torch finds no CUDA" if device == "cuda" and not torch.cuda.is_available() else None


def open_graph(path: Path, device: str, threads: int, context: BuildContext) -> DeviceSession:
    """Rebuild the module from the graph's metadata and weights; raises AssetError."""
    if context.torch_module is None:
        raise AssetError("this network has no torch module")
    torch.set_num_threads(threads)
    lane = DeviceStream(device)
    graph = context.torch_module(path).to(lane.device).eval()
    ports = {name: DeviceBuffer(tuple(value.shape), lane) for name, value in graph.example().items()}
    with torch.inference_mode():
        shapes = [tuple(answer.shape) for answer in graph(*tensors(ports))]
    answers = {name: DeviceBuffer(shape, lane) for name, shape in zip(graph.outputs, shapes, strict=True)}

    def work() -> None:
        with torch.inference_mode():
            for port, answer in zip(answers.values(), graph(*tensors(ports)), strict=True):
                port.tensor.copy_(answer)

    return DeviceSession(ports, answers, lane, work)
