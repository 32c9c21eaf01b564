"""Scenes come back as they were written, or are refused by name."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from engine.errors import AssetError, InputError
from engine.head import HeadModel
from tests.trainer.generator.conftest import make_scene
from trainer.generator.jobs import SceneJob, photograph_jobs, synthetic_jobs
from trainer.generator.scenes import SceneFolder, write_scene


def test_a_scene_comes_back(head: HeadModel, tmp_path: Path) -> None:
    scene = make_scene(head, 3)
    write_scene(tmp_path / "a.npz", scene)
    folder = SceneFolder(tmp_path)
    assert (folder.same, folder.cross, list(folder.person)) == ([(0, 0)], [(0, 1)], [3])
    source, moment = folder[0, 0]
    wanted = scene.moments[0]
    for name in ("z", "flow", "render_weight", "coverage", "points", "tight", "tight_pose"):
        assert np.array_equal(getattr(moment, name), getattr(wanted, name)), name
    assert moment.target is not None
    assert wanted.target is not None
    assert np.abs(moment.target.astype(int) - wanted.target).mean() < 1.5  # JPEG
    assert np.array_equal(source.matte, scene.source.matte)
    assert np.array_equal(source.z, scene.source.z)
    assert folder[0, 1][1].target is None


def test_a_full_disk_leaves_no_scene(head: HeadModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"No space left on device.*goes on where it stopped"):
        write_scene(tmp_path / "a.npz", make_scene(head, 0))
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no scenes"):
        SceneFolder(tmp_path)
    (tmp_path / "torn.npz").write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(InputError, match=r"torn\.npz cannot be read"):
        SceneFolder(tmp_path)


def test_what_is_kept_for_tests_is_refused(tmp_path: Path) -> None:
    (tmp_path / "joconde.jpg").write_bytes(b"")
    with pytest.raises(AssetError, match="kept for tests"):
        photograph_jobs([tmp_path], 2)
    with pytest.raises(InputError, match="holds no photographs"):
        photograph_jobs([tmp_path / "nowhere"], 2)


def test_every_order_has_a_file_of_its_own() -> None:
    jobs = synthetic_jobs(3) + [SceneJob("series", "shards", index, number) for index in range(2) for number in range(2)]
    jobs += [SceneJob("photograph", name, index) for name in ("a.jpg", "b.jpg") for index in range(2)]
    assert len({order.file for order in jobs}) == len(jobs) == 11
