"""The graphs of a generator, as they are exported and as the torch backend runs them: ``source``, ``frame``, ``refiner`` (torch).

An exported file holds the module's own parameters under their own names (large ones in half precision), and in its metadata
the variant and which graph it is; so it is also the file from which the module can be rebuilt.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import onnx
import torch
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import numpy_helper
from torch import Tensor, nn

from engine.errors import AssetError
from engine.generator.far import FarGenerator
from engine.generator.variants import Variant

HALF_SUFFIX = ".half"  # of the name under which a parameter is stored in half precision
PREFIX = "generator."


class Graph(nn.Module):
    """A part of the generator with plain tensors as inputs and outputs, in a fixed order; batch of one."""

    name: Literal["source", "frame", "refiner"]

    def __init__(self, generator: FarGenerator) -> None:
        super().__init__()
        self.generator = generator
        self.features = [f"source_{resolution}" for resolution in generator.variant.resolutions]

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs."""
        raise NotImplementedError

    def example(self) -> dict[str, Tensor]:
        """Zeros of every input's shape, in the order of ``forward``."""
        return {name: torch.zeros(shape) for name, shape in self.generator.variant.inputs(self.name).items()}


class SourceGraph(Graph):
    """photo (1, 3, S, S) → source_4, source_8, … (F_s)."""

    name = "source"

    @property
    def outputs(self) -> list[str]:
        """Names of F_s, coarse to fine."""
        return self.features

    def forward(self, photo: Tensor) -> list[Tensor]:
        """F_s, coarse to fine."""
        return self.generator.source(photo)


class FrameGraph(Graph):
    """z, guide, the flow prior at the variant's top resolution (where it has one), F_s → state (c, f, s)."""

    name = "frame"

    @property
    def outputs(self) -> list[str]:
        """The state alone."""
        return ["state"]

    def forward(self, z: Tensor, guide: Tensor, *rest: Tensor) -> tuple[Tensor]:
        """The state (1, 6, R, R)."""
        prior, source = (rest[0], rest[1:]) if self.generator.variant.flow_prior else (None, rest)
        return (self.generator.frame(z, guide, prior, list(source)),)


class RefinerGraph(Graph):
    """The windows of the mouth and of both eyes, the left one mirrored → what is to be corrected in each."""

    name = "refiner"

    @property
    def outputs(self) -> list[str]:
        """A state each."""
        return ["mouth_state", "eyes_state"]

    def forward(self, mouth: Tensor, eyes: Tensor) -> tuple[Tensor, Tensor]:
        """(1, 4, H, W) and (2, 4, H, W): c and s."""
        refiner = self.generator.refiner
        if refiner is None:
            raise ValueError(f"the variant {self.generator.variant.name} has no refiner")
        return refiner.mouth(mouth), refiner.eye(eyes)


GRAPHS: dict[str, type[Graph]] = {graph.name: graph for graph in (SourceGraph, FrameGraph, RefinerGraph)}


def load(path: Path) -> Graph:
    """Rebuild the module of an exported file, with its weights; raises AssetError."""
    try:
        model = onnx.load(path)
        about = {entry.key: entry.value for entry in model.metadata_props}
        graph = GRAPHS[about["graph"]](FarGenerator(Variant.from_json(about["variant"])))
    except (OSError, DecodeError, KeyError, TypeError, ValueError) as error:
        raise AssetError(f"is not a graph that the exporter wrote, {error}") from error
    parameters = {}
    for stored in model.graph.initializer:
        if stored.name.startswith(PREFIX):
            values = torch.from_numpy(numpy_helper.to_array(stored).astype("float32"))
            parameters[stored.name.removesuffix(HALF_SUFFIX)] = values
    # A graph stores only what it uses: the other graphs' parts stay as they were made, and are never run.
    graph.load_state_dict(parameters, strict=False)
    return graph.requires_grad_(False)
