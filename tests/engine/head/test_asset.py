"""The file of the open head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.errors import AssetError
from engine.head import OPEN_HEAD, load_head


def test_it_is_small_and_plain() -> None:
    assert OPEN_HEAD.stat().st_size < 8_000_000
    with np.load(OPEN_HEAD, allow_pickle=False) as archive:
        kinds = {archive[name].dtype for name in archive.files}
    assert kinds <= {np.dtype(np.float16), np.dtype(np.uint8), np.dtype(np.uint16)}


def test_it_is_loaded_once() -> None:
    assert load_head() is load_head()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=r"missing at .*nothing\.npz: install again"):
        load_head(tmp_path / "nothing.npz")


@pytest.mark.parametrize("length", [0, 1000, 2_000_000])
def test_a_damaged_file_is_named(tmp_path: Path, length: int) -> None:
    path = tmp_path / "head.npz"
    path.write_bytes(OPEN_HEAD.read_bytes()[:length])
    with pytest.raises(AssetError, match="is damaged"):
        load_head(path)


def test_a_file_without_an_array_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "head.npz"
    np.savez(path, mean_shape=np.zeros((3, 3)))
    with pytest.raises(AssetError, match="is damaged"):
        load_head(path)
