"""Shards: what is written can be read, what is half written never is."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import InputError
from trainer.data import shards
from trainer.data.shards import Crop, ShardFolder, write_shard


def crop(person: int, brightness: int = 120) -> Crop:
    rng = np.random.default_rng(person)
    image = np.full((512, 512, 3), (brightness, 60, 30), np.uint8)
    z, landmarks = rng.normal(size=261).astype(np.float32), rng.uniform(0, 512, (478, 2)).astype(np.float32)
    return Crop(image, z, landmarks, 0.7, person, person * 10, 1.5, f"folder/{person}.jpg")


def test_crops_come_back_in_order_from_several_shards(tmp_path: Path) -> None:
    write_shard(tmp_path / "train" / "a-000.npz", [crop(1), crop(2)])
    write_shard(tmp_path / "train" / "b-000.npz", [crop(3, 200)])

    folder = ShardFolder(tmp_path, "train")

    assert len(folder) == 3
    assert list(folder.person) == [1, 2, 3]
    third = folder[2]
    assert third.source == "folder/3.jpg"
    assert third.time_s == 1.5
    assert third.clip == 30
    assert third.quality == pytest.approx(0.7)
    assert np.array_equal(third.z, crop(3).z)
    assert np.array_equal(third.landmarks, crop(3).landmarks)
    assert np.abs(third.image.astype(int) - [200, 60, 30]).max() <= 3  # RGB, JPEG
    assert [one.person for one in folder] == [1, 2, 3]
    with pytest.raises(IndexError):
        folder[3]


def test_a_full_disk_leaves_no_shard_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: Any, **arrays: Any) -> None:
        file.write(b"half a shard")
        raise OSError(errno.ENOSPC, "No space left on device")

    write_shard(tmp_path / "train" / "a-000.npz", [crop(1)])
    monkeypatch.setattr(shards.np, "savez", full)
    with pytest.raises(InputError, match="No space left on device"):
        write_shard(tmp_path / "train" / "b-000.npz", [crop(2)])

    assert [path.name for path in (tmp_path / "train").iterdir()] == ["a-000.npz"]
    assert len(ShardFolder(tmp_path)) == 1


def test_an_unfinished_shard_is_not_read(tmp_path: Path) -> None:
    write_shard(tmp_path / "train" / "a-000.npz", [crop(1)])
    (tmp_path / "train" / "b-000.unfinished").write_bytes(b"PK half")

    assert len(ShardFolder(tmp_path)) == 1


def test_damaged_and_missing_shards_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no shards"):
        ShardFolder(tmp_path)
    write_shard(tmp_path / "train" / "a-000.npz", [crop(1)])
    content = (tmp_path / "train" / "a-000.npz").read_bytes()
    (tmp_path / "train" / "a-000.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"a-000\.npz cannot be read"):
        ShardFolder(tmp_path)
