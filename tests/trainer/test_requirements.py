"""Without the packages of the extra "train", every command says in one sentence what is missing and how to install it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# A Python in which these modules are not installed, as far as any import can tell.
BLOCKED = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
from trainer.__main__ import main
main()
"""
# matplotlib stays: mediapipe, which the camera needs, brings it.
TORCHLESS = {"torch", "torchmetrics", "onnx", "onnxscript", "safetensors", "scipy", "tensorboard"}


def trainer(*options: str, absent: set[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """``python -m trainer`` as a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "COLUMNS": "200"}
    command = [sys.executable, "-c", BLOCKED.format(names=absent), *options]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_help_lists_the_commands(tmp_path: Path) -> None:
    told = trainer("--help", absent=TORCHLESS, folder=tmp_path)
    assert told.returncode == 0, told.stderr
    for command in ("generator", "regressor", "scenes", "examples", "export", "export-regressor", "evaluate", "synthesise"):
        assert command in told.stdout


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--quick"],
        ["generator", "--plan"],
        ["regressor", "sets", "--out", "run"],
        ["export", "--out", "bundle"],
        ["export-regressor", "last.pt"],
        ["evaluate", "regressor", "--out", "report"],
        ["evaluate", "generator", "--out", "report", "--features", "a.pth", "--identity", "b.dat"],
    ],
)
def test_commands_say_what_is_missing(options: list[str], tmp_path: Path) -> None:
    told = trainer(*options, absent=TORCHLESS, folder=tmp_path)
    assert told.returncode == 1
    assert told.stdout == ""
    (line,) = told.stderr.splitlines()
    assert line.startswith("Training needs PyTorch, torchmetrics, onnx,")
    assert line.endswith("[train]'`.")
    assert f"{sys.executable} -m pip install" in line
    assert list(tmp_path.iterdir()) == []


def test_a_single_missing_package_is_named(tmp_path: Path) -> None:
    told = trainer("generator", "--plan", absent={"safetensors"}, folder=tmp_path)
    assert told.returncode == 1
    assert told.stderr.startswith("Training needs safetensors, which is not installed: run `")


def test_commands_that_need_none_of_them_work(tmp_path: Path) -> None:
    told = trainer(
        "synthesise", "--out", "heads", "--count", "1", "--size", "64", "--workers", "1", absent=TORCHLESS, folder=tmp_path
    )
    assert told.returncode == 0, told.stderr
    assert (tmp_path / "heads" / "images" / "00000000.jpg").exists()
