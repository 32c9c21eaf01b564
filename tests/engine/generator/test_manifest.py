"""The committed bundle, and what is said about a damaged one."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from engine.errors import AssetError
from engine.generator.manifest import LIVE_BUNDLE, read_bundle
from engine.generator.variants import LIVE
from engine.manifest import MANIFEST


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(LIVE_BUNDLE, tmp_path / "bundle"))


def edit(folder: Path, **values: object) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(manifest | values))


def test_the_committed_bundle_is_the_live_variant_and_small() -> None:
    bundle = read_bundle(LIVE_BUNDLE)
    assert bundle.variant == LIVE
    assert np.array_equal(bundle.picture_mix, np.eye(3, dtype=np.float32))
    assert sum(path.stat().st_size for path in LIVE_BUNDLE.iterdir()) <= 5_000_000


@pytest.mark.parametrize("graph", ["source", "frame"])
def test_the_committed_graphs_pass_their_self_tests(graph: str) -> None:
    assert read_bundle(LIVE_BUNDLE).open(graph, threads=1).engine in ("openvino", "onnxruntime")


def test_a_changed_file_is_refused(copy: Path) -> None:
    with (copy / "frame.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(AssetError, match=r"frame\.onnx is damaged: install"):
        read_bundle(copy)


@pytest.mark.parametrize("name", ["source.onnx", MANIFEST])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(AssetError, match=f"not complete.*{name}"):
        read_bundle(copy)


def test_a_newer_format_asks_for_an_update(copy: Path) -> None:
    edit(copy, format=3)
    with pytest.raises(AssetError, match="has format 3, this program reads 2"):
        read_bundle(copy)


@pytest.mark.parametrize("text", ["{", "{}", '{"format": 2}', '{"format": 2, "graphs": {}}', "[]", "\xff"])
def test_a_senseless_manifest_is_refused(copy: Path, text: str) -> None:
    (copy / MANIFEST).write_text(text, encoding="latin-1")
    with pytest.raises(AssetError, match="is not a generator's manifest"):
        read_bundle(copy)


def test_a_generator_trained_with_another_head_is_refused(copy: Path) -> None:
    edit(copy, head_sha256="0" * 64)
    with pytest.raises(AssetError, match="is not the head model that the generator"):
        read_bundle(copy)
