"""The bundle: the folder with an exported generator. manifest.json, source.onnx, frame.onnx and, of some, refiner.onnx."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from engine.errors import AssetError
from engine.generator.variants import Variant
from engine.runtime.engines import BuildContext
from engine.runtime.sessions import Check, GraphSession, open_session
from engine.values import Floats

FORMAT = 2  # of the manifest; raised when an older program could not use a newer bundle
MANIFEST = "manifest.json"
ASSETS = Path(__file__).parents[1] / "assets"
LIVE_BUNDLE = ASSETS / "live"
HEAD_ASSET = ASSETS / "open_head.npz"


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
        return open_session(path, engine, threads=threads, check=check, context=context)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_manifest(
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
    manifest = {
        "format": FORMAT,
        "version": version,
        "licence": "MIT",
        "training": None if training is None else asdict(training),
        "head_sha256": None if training is None else file_sha256(HEAD_ASSET),
        "variant": json.loads(variant.to_json()),
        "picture_mix": picture_mix.tolist(),
        "graphs": graphs,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_bundle(folder: Path) -> Bundle:
    """Read the manifest and compare every file with it; raises AssetError.

    A trained generator belongs to the head model it was trained with; an untrained one (``head_sha256`` null) suits any.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise AssetError(
                f"The generator in {folder} has format {manifest['format']}, this program reads {FORMAT}: update the "
                "program, or export the generator anew."
            )
        variant = Variant.from_json(json.dumps(manifest["variant"]))
        entries = {graph: manifest["graphs"][graph] for graph in variant.graphs}
        for graph, entry in entries.items():
            _require_hash(folder / f"{graph}.onnx", entry["sha256"], "is damaged: install the program again or export it anew")
        if manifest["head_sha256"] is not None:
            _require_hash(
                HEAD_ASSET, manifest["head_sha256"], f"is not the head model that the generator in {folder} was trained with"
            )
        checks = {
            graph: Check(
                {name: np.array(values, np.float32) for name, values in entry["self_test"].items()},
                variant.inputs(graph),
            )
            for graph, entry in entries.items()
        }
        return Bundle(folder, variant, np.array(manifest["picture_mix"], np.float32), checks)
    except OSError as error:
        raise AssetError(
            f"The generator in {folder} is not complete, {error}. Install the program again or export it anew."
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise AssetError(f"{folder / MANIFEST} is not a generator's manifest: {error!r}. Export it anew.") from error


def _require_hash(path: Path, sha256: str, complaint: str) -> None:
    if file_sha256(path) != sha256:
        raise AssetError(f"{path} {complaint}.")
