"""The bundle: the folder with an exported generator. manifest.json, source.onnx, frame.onnx and, of some, refiner.onnx."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.generator.variants import Variant
from engine.head.asset import OPEN_HEAD
from engine.manifest import ASSETS, file_sha256, read_manifest, require_graph, require_head, write_manifest
from engine.runtime.engines import BuildContext
from engine.runtime.sessions import Check, GraphSession, open_session
from engine.values import Floats

FORMAT = 2  # of the manifest; raised when an older program could not use a newer bundle
KIND = "generator"
LIVE_BUNDLE = ASSETS / "live"


@dataclass(frozen=True)
class TrainingRecord:
    """How the weights of a bundle came to be.

    images  seen
    hours   it took
    data    a sentence: what they were learned from
    commit  of the code, None where that is not known
    """

    images: int
    hours: float
    data: str
    commit: str | None


@dataclass(frozen=True)
class Bundle:
    """An exported generator whose files are what the manifest says.

    picture_mix  (3, 3)  the weight of the picture prior P in the last tRGB
    checks       graph name → the self-test's stored answer
    """

    folder: Path
    variant: Variant
    picture_mix: Floats
    checks: Mapping[str, Check]

    def open(
        self, graph: str, engine: str = "auto", *, threads: int | None = None, context: BuildContext | None = None
    ) -> GraphSession:
        """A session for one of the variant's graphs, self-tested; raises ConfigError, AssetError."""
        path, check = self.folder / f"{graph}.onnx", self.checks[graph]
        context = replace(context or BuildContext(), torch_module=_torch_module)
        return open_session(path, engine, threads=threads, check=check, context=context)


def write_bundle_manifest(
    folder: Path,
    variant: Variant,
    picture_mix: Floats,
    answers: Mapping[str, Mapping[str, Floats]],
    *,
    version: str | None,
    training: TrainingRecord | None,
) -> None:
    """Describe the graphs that lie in ``folder``.

    ``answers`` is graph → output → stored self-test values, ``version`` the program's, ``training`` None for the untrained start.
    """
    graphs = {
        graph: {
            "sha256": file_sha256(folder / f"{graph}.onnx"),
            "self_test": {name: [round(float(value), 5) for value in values] for name, values in outputs.items()},
        }
        for graph, outputs in answers.items()
    }
    content = {
        "version": version,
        "training": None if training is None else asdict(training),
        "head_sha256": None if training is None else file_sha256(OPEN_HEAD),
        "variant": json.loads(variant.to_json()),
        "picture_mix": picture_mix.tolist(),
        "graphs": graphs,
    }
    write_manifest(folder, FORMAT, content)


def read_bundle(folder: Path) -> Bundle:
    """Read the manifest and compare every file with it; raises AssetError.

    A trained generator belongs to the head model it was trained with; an untrained one (``head_sha256`` null) suits any.
    """
    with read_manifest(folder, KIND, FORMAT) as content:
        variant = Variant.from_json(json.dumps(content["variant"]))
        entries = {graph: content["graphs"][graph] for graph in variant.graphs}
        for graph, entry in entries.items():
            require_graph(folder / f"{graph}.onnx", entry["sha256"])
        if content["head_sha256"] is not None:
            require_head(folder, KIND, content["head_sha256"])
        checks = {
            graph: Check(
                {name: np.array(values, np.float32) for name, values in entry["self_test"].items()}, variant.inputs(graph)
            )
            for graph, entry in entries.items()
        }
        return Bundle(folder, variant, np.array(content["picture_mix"], np.float32), checks)


def _torch_module(path: Path) -> Any:
    from engine.generator.graphs import load  # here, because it needs torch

    return load(path)
