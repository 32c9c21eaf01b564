"""torch: runs the module itself, with the weights that are stored in the exported graph. The only backend that imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from engine.generator import graphs
from engine.values import Floats


class TorchSession:
    """A graph on CUDA where there is one, else on the CPU."""

    backend = "torch"

    def __init__(self, graph: graphs.Graph) -> None:
        self.inputs: Mapping[str, tuple[int, ...]] = {name: tuple(value.shape) for name, value in graph.example().items()}
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._graph = graph.to(self._device).eval()

    def run(self, feeds: Mapping[str, Floats]) -> dict[str, Floats]:
        """See ``Session.run``."""
        with torch.inference_mode():
            tensors = self._graph(*(torch.from_numpy(feeds[name]).to(self._device) for name in self.inputs))
        return {name: tensor.cpu().numpy() for name, tensor in zip(self._graph.outputs, tensors, strict=True)}


def open_graph(path: Path, threads: int) -> TorchSession:
    """Rebuild the module from the graph's metadata and weights; raises AssetError."""
    torch.set_num_threads(threads)
    return TorchSession(graphs.load(path))
