"""The examples do what they say, as a user would start them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from engine.portrait import load_portrait
from engine.values import Picture
from engine.video import read_frames

ROOT = Path(__file__).parents[1]
PORTRAIT = ROOT / "engine" / "assets" / "portrait.jpg"


def start(example: str, *arguments: str) -> None:
    """Runs an example to its end."""
    command = [sys.executable, f"examples/{example}.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=150)
    assert done.returncode == 0, done.stderr


def environment() -> dict[str, str]:
    """This process's own, in which the packages are found."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def difference(one: Picture, other: Picture) -> float:
    """Mean absolute difference of two pictures, 0…255."""
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def test_a_picture_is_animated(tmp_path: Path) -> None:
    out = tmp_path / "turned.png"
    start("animate_picture", str(PORTRAIT), str(out))
    read = cv2.imread(str(out))
    assert read is not None
    assert read.shape == (512, 512, 3)
    assert 1 < difference(np.asarray(read[..., ::-1], np.uint8), load_portrait(PORTRAIT).crop) < 40  # moved, and still a portrait


def test_own_coefficients_move_the_avatar(tmp_path: Path) -> None:
    out = tmp_path / "nod.mp4"
    start("own_coefficients", f"file:{out}", "40")
    frames = [frame.image for frame in read_frames(out)]
    assert len(frames) == 40
    assert max(difference(frames[0], frame) for frame in frames) > 1


def test_a_sink_of_ones_own_gets_the_pictures(tmp_path: Path) -> None:
    start("custom_sink", str(tmp_path), "5")
    pictures = sorted(tmp_path.iterdir())
    assert [path.name for path in pictures] == [f"{number:04}.png" for number in range(5)]
    read = cv2.imread(str(pictures[0]))
    assert read is not None
    assert read.shape == (512, 512, 3)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    command = [sys.executable, "examples/custom_sink.py", str(tmp_path / "none"), "5"]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=150)
    assert done.returncode == 1
    assert "There is no folder" in done.stderr
