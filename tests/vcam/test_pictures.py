"""An avatar's pictures: a file, or a folder of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.errors import InputError
from vcam.avatars.pictures import pictures_of, refuse_unusable
from vcam.watch import fingerprint


def test_of_a_folder_the_first_picture_by_name_is_the_face_at_rest(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "notes.txt", ".hidden.png", "c.webp"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in pictures_of(tmp_path)] == ["a.JPG", "b.png", "c.webp"]
    assert pictures_of(tmp_path / "a.JPG") == [tmp_path / "a.JPG"]


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no pictures"):
        pictures_of(tmp_path)
    with pytest.raises(InputError, match="has no pictures"):
        refuse_unusable(tmp_path)


def test_a_folder_is_another_when_one_of_its_pictures_is(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"a")
    seen = [fingerprint(tmp_path)]
    (tmp_path / "b.png").write_bytes(b"b")
    seen.append(fingerprint(tmp_path))
    os.utime(tmp_path / "a.png", ns=(1, 1))
    seen.append(fingerprint(tmp_path))
    (tmp_path / "notes.txt").write_bytes(b"c")
    assert fingerprint(tmp_path) == seen[-1]
    (tmp_path / "a.png").unlink()
    (tmp_path / "b.png").unlink()
    seen.append(fingerprint(tmp_path))
    assert len(set(seen)) == 4
    assert seen[-1] is None  # what was read before stays in force
