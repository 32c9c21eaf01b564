"""Pictures say that they are made by a machine, and the command finds it again."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.mp4 import Mp4File
from plugins.disclosure import DisclosurePlugin
from tests.fakes import flat
from vcam.cli.app import run_command
from vcam.config import Settings
from vcam.config_file import parse_settings
from vcam.plugins.testing import PluginRun

SIZE = (640, 360)
GREY = flat((120, 120, 120), *SIZE)


@pytest.mark.parametrize(
    ("place", "row", "column"), [("bottom-right", 1, 1), ("bottom-left", 1, 0), ("top-right", 0, 1), ("top-left", 0, 0)]
)
def test_the_text_stands_in_its_corner_and_nowhere_else(place: str, row: int, column: int) -> None:
    with PluginRun(DisclosurePlugin, size=SIZE, place=place, watermark=False) as run:
        change = np.abs(run.frame(GREY).astype(int) - GREY).max(2)
    quarters = [[change[180 * y : 180 * (y + 1), 320 * x : 320 * (x + 1)].max() for x in (0, 1)] for y in (0, 1)]
    assert quarters[row][column] > 80
    assert sum(map(sum, quarters)) == quarters[row][column]


def test_a_long_text_gets_smaller_and_no_text_is_no_mark() -> None:
    long = "This face is made by a machine, not by a camera"
    with PluginRun(DisclosurePlugin, size=(320, 240), text=long, watermark=False) as run:
        changed = np.abs(run.frame(flat((120,) * 3, 320, 240)).astype(int) - 120).max(2).any(0)
    assert 0.6 * 320 < changed.sum() <= 0.92 * 320
    with PluginRun(DisclosurePlugin, size=SIZE, text=" ", watermark=False) as run:
        assert np.array_equal(run.frame(GREY), GREY)


def test_it_is_on_unless_it_is_switched_off() -> None:
    assert Settings().plugins.sections() == {"disclosure": {"enabled": True}}
    assert parse_settings('[plugins.disclosure]\ntext = "x"', "c").plugins.sections()["disclosure"]["enabled"] is True
    assert parse_settings("[plugins.disclosure]\nenabled = false", "c").plugins.sections()["disclosure"]["enabled"] is False


def test_verify_finds_the_invisible_mark_in_videos_and_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(2)
    scene = cv2.GaussianBlur(random.integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8), (0, 0), 12) // 2 + 60
    paths = [tmp_path / "marked.mp4", tmp_path / "plain.mp4"]
    with (
        PluginRun(DisclosurePlugin, size=SIZE) as run,
        Mp4File(paths[0], SIZE, 30) as marked,
        Mp4File(paths[1], SIZE, 30) as plain,
    ):
        for shift in range(12):
            picture = np.roll(scene, 3 * shift, 1)
            marked.send(run.frame(picture))
            plain.send(picture)
        cv2.imwrite(str(tmp_path / "marked.png"), run.frame(scene)[..., ::-1])
    assert run_command(["verify", str(paths[0]), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["marked"] is True
    assert run_command(["verify", str(tmp_path / "marked.png")]) == 0
    assert "carries HifiHead Cam's mark" in capsys.readouterr().out
    assert run_command(["verify", str(paths[1])]) == 1
    assert "No mark of HifiHead Cam was found" in capsys.readouterr().out
    (tmp_path / "text.mp4").write_text("text", encoding="utf-8")
    assert run_command(["verify", str(tmp_path / "text.mp4")]) == 1
    assert "neither a picture nor a video" in capsys.readouterr().err
