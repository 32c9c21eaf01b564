"""A file or folder that is written takes its name when it is whole and on the disk, or leaves what was there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from engine import files
from engine.errors import InputError
from engine.files import replacing_folder, write_bytes, write_private, write_text
from engine.picture import read_picture
from engine.picture_file import write_picture


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the disk, in order."""
    seen: list[str] = []
    sync, replace, rename = os.fsync, Path.replace, Path.rename

    def watched_sync(number: int) -> None:
        seen.append(f"sync {Path(f'/proc/self/fd/{number}').readlink().suffix or 'folder'}")
        sync(number)

    def watched_replace(path: Path, target: Path) -> Path:
        seen.append(f"to {target.name}")
        return replace(path, target)

    def watched_rename(path: Path, target: Path) -> Path:
        seen.append(f"to {target.name.partition('.')[2] or target.name}")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", watched_sync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    monkeypatch.setattr(Path, "rename", watched_rename)
    return seen


on_linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="names of open files are told by Linux")


@on_linux
def test_a_file_is_on_the_disk_before_it_has_its_name_and_the_name_before_the_work_goes_on(
    tmp_path: Path, done: list[str]
) -> None:
    write_text(tmp_path / "a.json", "{}")
    assert done == ["sync .json", "to a.json", "sync folder"]


@on_linux
def test_a_folder_is_on_the_disk_before_it_takes_the_place_of_the_former(tmp_path: Path, done: list[str]) -> None:
    for text in ("one", "two"):
        done.clear()
        with replacing_folder(tmp_path / "set") as part:
            (part / "a.npy").write_text(text)
            (part / "b.npz").write_text(text)
    assert (tmp_path / "set" / "a.npy").read_text() == "two"
    assert sorted(done[:2]) == ["sync .npy", "sync .npz"]
    assert done[2] == "sync .part"
    assert done[3].endswith(".former")
    assert done[4:] == ["to set", "sync folder"]
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_folder_that_cannot_take_its_place_leaves_the_former(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with replacing_folder(tmp_path / "set") as part:
        (part / "a").write_text("one")
    rename = Path.rename

    def full(path: Path, target: Path) -> Path:
        if path.suffix == ".part":
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(InputError, match="set cannot be written: No space left"), replacing_folder(tmp_path / "set") as part:
        (part / "a").write_text("two")
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    assert (tmp_path / "set" / "a").read_text() == "one"


def test_a_file_that_cannot_be_written_leaves_the_former(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bytes(tmp_path / "a", b"one")

    def broken(_number: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(InputError, match="a cannot be written: Input/output error"):
        write_bytes(tmp_path / "a", b"two")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"one"


def test_pictures_are_read_as_they_were_written(tmp_path: Path) -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:, :30] = (200, 100, 30)
    for name, most in (("a.png", 0), ("b.JPG", 12)):
        write_picture(tmp_path / name, picture)
        difference = np.abs(read_picture(tmp_path / name).astype(int) - picture)
        assert difference[:, :24].max() <= most
        assert difference[:, 36:].max() <= most
    grey = picture[..., 0]
    write_picture(tmp_path / "grey.png", grey)
    assert np.array_equal(read_picture(tmp_path / "grey.png"), np.stack([grey] * 3, -1))


def test_a_picture_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must end in \.png or \.jpg"):
        write_picture(tmp_path / "a.webp", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(InputError, match="has no place"):
        write_picture(tmp_path / "a.png", np.zeros((0, 4, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_what_only_the_user_may_read_is_theirs_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    monkeypatch.setattr(files, "sync_file", lambda path: modes.append(path.stat().st_mode & 0o777))
    write_private(tmp_path / "new" / "token", "secret")
    assert modes == [0o600]
    assert (tmp_path / "new" / "token").read_text() == "secret"
    assert (tmp_path / "new" / "token").stat().st_mode & 0o777 == 0o600
