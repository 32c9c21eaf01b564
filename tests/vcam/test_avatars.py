"""``hifihead avatars check`` on the bundled portrait."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine.photographs.contributions import HOW_TO_TAKE
from engine.picture import read_picture
from vcam.avatars.avatar import BUNDLED_PORTRAIT
from vcam.cli.app import run_command
from vcam.cli.avatars import TILE_PX


def test_a_single_photograph_lacks_all_that_others_would_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / "me", tmp_path / "sheet.png"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg"):  # the same picture twice
        shutil.copy(BUNDLED_PORTRAIT, folder / name)
    (folder / "c.png").write_bytes(b"no picture")
    assert run_command(["avatars", "check", str(folder), "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["first"] == "a.jpg"
    assert told["contributions"] == {}
    assert told["missing"] == HOW_TO_TAKE
    same, unreadable = told["left_out"]
    assert "b.jpg is the same picture as the first" in same
    assert "c.png is not a picture" in unreadable
    assert read_picture(out).shape[1] == TILE_PX


def test_an_empty_folder_is_refused_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["avatars", "check", str(tmp_path), "--out", str(tmp_path / "sheet.png")]) == 1
    assert "has no pictures" in capsys.readouterr().err
    assert not (tmp_path / "sheet.png").exists()
