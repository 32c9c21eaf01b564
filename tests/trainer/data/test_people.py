"""Public portraits: who is held out depends on the name alone, and nothing is learned from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import AssetError, InputError
from trainer.data.people import find_portraits, is_held_out, sort_people
from trainer.generator.jobs import photograph_jobs
from trainer.regressor.commands import examples

NAMES = [f"A{number:06d}" for number in range(200)]


def clone(folder: Path, sizes: tuple[str, ...], names: list[str]) -> Path:
    for size in sizes:
        (folder / "congress" / size).mkdir(parents=True)
        for name in names:
            (folder / "congress" / size / f"{name}.jpg").write_bytes(size.encode())
    (folder / "README.md").write_text("portraits")
    (folder / "congress" / "logo.jpg").write_bytes(b"no person")
    return folder


def test_the_largest_portrait_of_each_person_is_taken(tmp_path: Path) -> None:
    source = clone(tmp_path / "images", ("225x275", "original", "450x550"), NAMES[:3])
    assert {name: path.read_bytes() for name, path in find_portraits(source).items()} == dict.fromkeys(NAMES[:3], b"original")


def test_who_is_held_out_depends_on_the_name_alone(tmp_path: Path) -> None:
    whole = sort_people(clone(tmp_path / "a", ("225x275",), NAMES), tmp_path / "whole")
    some = sort_people(clone(tmp_path / "b", ("450x550",), NAMES[50:]), tmp_path / "some")
    held_out = {path.stem for path in whole.held_out.iterdir()}
    assert held_out == {name for name in NAMES if is_held_out(name)}
    assert 10 <= len(held_out) <= 30
    assert {path.stem for path in some.held_out.iterdir()} == held_out & set(NAMES[50:])
    assert {item.split for item in whole.items() if Path(item.path).stem in held_out} == {"test"}
    assert len(whole.items()) == len(NAMES)


def test_nothing_is_learned_from_people_who_are_held_out(tmp_path: Path) -> None:
    people = sort_people(clone(tmp_path / "a", ("225x275",), NAMES), tmp_path / "out")
    assert photograph_jobs([people.learned], 1)
    with pytest.raises(AssetError, match="must not be trained on"):
        photograph_jobs([people.held_out], 1)
    with pytest.raises(AssetError, match="must not be trained on"):
        examples(tmp_path / "set", portrait=[people.held_out])


def test_a_folder_without_portraits_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="clone of the repository"):
        sort_people(tmp_path, tmp_path / "out")
