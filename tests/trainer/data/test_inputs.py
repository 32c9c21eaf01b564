"""Which files there are, whom they show, which split they belong to."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InputError
from trainer.data.inputs import find_items, group, read_split_list


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def test_folders_files_and_lists_are_found_once_and_sorted(tmp_path: Path) -> None:
    root = tmp_path / "album"
    touch(root, "b.JPG", "a.png", "sub/c.mp4", "notes.md")
    (tmp_path / "list.txt").write_text("album/a.png\nalbum/sub/c.mp4\n")

    items = find_items([root, tmp_path / "list.txt", root / "b.JPG"])

    assert sorted(Path(item.path).name for item in items) == ["a.png", "b.JPG", "c.mp4"]
    assert [item.video for item in items if item.path.endswith("mp4")] == [True]
    assert len({item.person for item in items}) == 3


def test_names_do_not_depend_on_where_the_folder_lies(tmp_path: Path) -> None:
    for place in ("one", "two"):
        touch(tmp_path / place / "album", "a.jpg")
    first, second = (find_items([tmp_path / place / "album"])[0] for place in ("one", "two"))

    assert first.name == second.name == "album/a.jpg"
    assert first.person == second.person


def test_voxceleb_identities_are_people(tmp_path: Path) -> None:
    touch(tmp_path / "vox", "id10001/abcdefghijk/00001.mp4", "id10001/zyxwvutsrqp/00002.mp4", "id10270/abcdefghijl/00001.mp4")

    items = find_items([tmp_path / "vox"])

    assert sorted(item.person for item in items) == [10001, 10001, 10270]


def test_folders_are_people_when_wanted(tmp_path: Path) -> None:
    touch(tmp_path / "album", "ann/1.jpg", "ann/2.jpg", "bob/1.jpg")

    items = find_items([tmp_path / "album"], "folder")

    assert items[0].person == items[1].person != items[2].person


def test_split_lists_name_clips_of_the_paper_videos_and_files(tmp_path: Path) -> None:
    root = tmp_path / "vox"
    touch(root, "id10001#abcdefghijk#000993#001143.mp4", "id10002/zyxwvutsrqp/00002.mp4", "id10003/abcdefghijl/00001.mp4")
    touch(root, "id10004/abcdefghijm/00001.mp4")
    (tmp_path / "train.txt").write_text("id10001#abcdefghijk#000993#001143.mp4\nid10002/zyxwvutsrqp\n")
    (tmp_path / "test.txt").write_text("id10003/abcdefghijl/00001.mp4,0,12\n")

    lists = {"train": read_split_list(tmp_path / "train.txt"), "test": read_split_list(tmp_path / "test.txt")}
    items = find_items([root], lists=lists)  # type: ignore[arg-type]

    assert {(item.person, item.split) for item in items} == {(10001, "train"), (10002, "train"), (10003, "test")}


def test_units_are_whole_and_stable(tmp_path: Path) -> None:
    touch(tmp_path / "album", *(f"{index:03d}.jpg" for index in range(40)), "a.mp4")
    items = find_items([tmp_path / "album"])

    units = group(items)

    assert sorted(len(unit.items) for unit in units) == [1, 8, 16, 16]
    assert sum(len(unit.items) for unit in units) == 41
    assert [unit.key for unit in units] == [unit.key for unit in group(list(items))]


def test_empty_folders_and_missing_inputs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no photograph or video"):
        find_items([tmp_path])
    with pytest.raises(InputError, match="does not exist"):
        find_items([tmp_path / "nothing"])
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(InputError, match="is empty"):
        read_split_list(tmp_path / "empty.txt")
