"""A program with a plug-in that hangs ends as any other."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import pytest

from tests.commands import finished
from tests.fakes import flat

SCRIPT = """
import sys
from engine.process import end_process
from tests.fakes import FakeBuilder
from vcam.cli.app import run_command
end_process(run_command(sys.argv[1:], make_builder=FakeBuilder))
"""
HANGS = "import time\nclass Hangs:\n    def on_frame(self, picture, now):\n        {body}\n"


@pytest.mark.parametrize("body", ["time.sleep(10**6)", "while True: pass"])
def test_the_camera_goes_on_and_the_program_ends_with_0(tmp_path: Path, body: str) -> None:
    cv2.imwrite(str(tmp_path / "red.jpg"), flat((0, 0, 0)))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "hangs.py").write_text(HANGS.format(body=body), encoding="utf-8")
    config = tmp_path / "config.toml"
    config.write_text(
        '[camera]\nsource = "idle"\n[plugins]\nfolder = "mine"\n[plugins.hangs]\nenabled = true\n', encoding="utf-8"
    )
    arguments = ["run", "--config", config, "--avatar", tmp_path / "red.jpg", "--output", "preview", "--size", "160x128"]
    done = finished([sys.executable, "-c", SCRIPT, *arguments, "--frames", "90"])
    assert done.returncode == 0, done.stderr
    assert "Sent 90 pictures" in done.stderr
    assert "'hangs' did not come back from on_frame within 2 s. It is switched off; the camera goes on." in done.stderr
