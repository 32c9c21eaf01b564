"""Built engines on disk: found again only when whole and built for just this case."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from engine.runtime.cache import EngineCache, EngineKey

KEY = EngineKey(engine="tensorrt", device="RTX", driver="13.0", library="11.4", graph_sha256="ab", precision="fp16")


def test_what_was_put_is_found_again(tmp_path: Path) -> None:
    EngineCache(tmp_path).put("frame", KEY, b"plan")
    assert EngineCache(tmp_path).get("frame", KEY) == b"plan"
    assert EngineCache(tmp_path).get("network", KEY) is None


@pytest.mark.parametrize("field", [field.name for field in fields(EngineKey)])
def test_an_engine_for_another_case_is_not_found(tmp_path: Path, field: str) -> None:
    cache = EngineCache(tmp_path)
    cache.put("frame", KEY, b"plan")
    assert cache.get("frame", replace(KEY, **{field: "other"})) is None


def test_a_newer_one_takes_the_place_of_the_old(tmp_path: Path) -> None:
    cache, newer = EngineCache(tmp_path), replace(KEY, library="12")
    cache.put("frame", KEY, b"plan")
    cache.put("frame", newer, b"newer plan")
    assert (cache.get("frame", KEY), cache.get("frame", newer)) == (None, b"newer plan")
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data + b"x", lambda data: b"", lambda data: data[:40]])
def test_a_damaged_file_is_not_loaded(tmp_path: Path, damage: object) -> None:
    cache = EngineCache(tmp_path)
    cache.put("frame", KEY, b"plan" * 100)
    file = next(tmp_path.iterdir())
    file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    assert cache.get("frame", KEY) is None


def test_a_folder_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    told: list[str] = []
    cache = EngineCache(tmp_path / "file" / "engines", told.append)
    for _ in range(2):
        cache.put("frame", KEY, b"plan")
        assert cache.get("frame", KEY) is None
    assert len(told) == 1
    assert "cannot be kept in" in told[0]
    assert "built anew at every start" in told[0]
