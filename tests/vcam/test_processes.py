"""The commands as a user starts them: processes of their own, real engines. Exit codes tell the truth; nothing remains."""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.mp4 import Mp4File
from engine.video import read_frames, video_info
from tests.commands import hifihead, start
from tests.fakes import flat
from vcam.avatars.avatar import BUNDLED_PORTRAIT

END_S, END_AT_MOST_S = 2.5, 12.0  # a program that was interrupted has ended by then; a machine may stand still now and then
MOMENTS, LAST_MOMENT_S = 13, 5.3  # at which it is interrupted: while it loads, opens, builds engines, runs
SIGNALS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals of other processes are POSIX's")


@pytest.fixture(scope="module")
def face_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three frames of the bundled portrait's face, which is a painting's."""
    path = tmp_path_factory.mktemp("clip") / "face.mp4"
    photo = cv2.cvtColor(cv2.imread(str(BUNDLED_PORTRAIT)), cv2.COLOR_BGR2RGB)
    small = cv2.resize(photo, (480, 640))
    with Mp4File(path, (480, 640), 25) as file:
        for number in range(3):
            turned = cv2.warpAffine(small, cv2.getRotationMatrix2D((240, 320), 2 * number, 1), (480, 640))
            file.send(np.asarray(turned, np.uint8))
    return path


def test_edit_ends_well_each_time_and_draws_the_same(tmp_path: Path) -> None:
    pictures = []
    for number in range(2):
        out = tmp_path / f"edit{number}.png"
        done = hifihead("edit", "--set", "jawOpen=0.5", "--yaw-deg", "8", "--out", out, module="tests.slow_engine")
        assert (done.returncode, done.stdout, done.stderr) == (0, "started\n", f"Wrote {out}.\n")
        pictures.append(out.read_bytes())
    assert pictures[0] == pictures[1]


def test_inspect_tells_the_coefficients_and_draws_them(tmp_path: Path) -> None:
    out = tmp_path / "inspect.png"
    done = hifihead("inspect", BUNDLED_PORTRAIT, "--out", out, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    z = json.loads(done.stdout)["z"]
    assert len(z["identity"]) == 80
    assert set(z["pose"]) == {"pitch_deg", "yaw_deg", "roll_deg", "x_dm", "y_dm", "z_dm"}
    assert cv2.imread(str(out)).shape[1] == 4 * cv2.imread(str(out)).shape[0]


def test_two_renders_of_a_clip_are_the_same_file(face_clip: Path, tmp_path: Path) -> None:
    files = []
    for number in range(2):
        out, report = tmp_path / f"out{number}.mp4", tmp_path / "report.json"
        arguments = ["--avatar", BUNDLED_PORTRAIT, "--driving", face_clip, "--out", out, "--report", report, "--size", "256"]
        done = hifihead("render", *arguments, module="tests.slow_engine")
        assert done.returncode == 0, done.stderr
        assert json.loads(report.read_text())["faces"] == 3
        assert len(list(read_frames(out))) == 3
        files.append(out.read_bytes())
    assert files[0] == files[1]


def test_run_of_one_frame_ends_well_while_an_engine_is_being_built(tmp_path: Path) -> None:
    out = tmp_path / "one.mp4"
    done = hifihead("run", "--output", f"file:{out}", "--frames", "1", "--size", "256x256", module="tests.slow_engine")
    assert done.returncode == 0, done.stderr
    assert "Sent 1 pictures of the avatar." in done.stderr
    assert video_info(out).frames == 1
    assert [path.name for path in tmp_path.iterdir()] == ["one.mp4"]


def interrupted(number: int, folder: Path) -> tuple[int, float, str]:
    """(exit code, seconds from the signal to the end, what was said) of a run that is interrupted at its ``number``-th moment.

    The first is when the program has hardly begun to load, the last while engines are being built.
    """
    out = folder / f"run{number}.mp4"
    process = start("run", "--output", f"file:{out}", "--size", "256x256", module="tests.slow_engine")
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    time.sleep(LAST_MOMENT_S * number / (MOMENTS - 1))
    process.send_signal(SIGNALS[number % len(SIGNALS)])
    begin_s = time.monotonic()
    _, said = process.communicate(timeout=60)
    return process.returncode, time.monotonic() - begin_s, said


@posix_only
def test_run_can_be_ended_at_every_moment(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(lambda number: interrupted(number, tmp_path), range(MOMENTS)))
    assert [code for code, _, _ in ends] == [0] * MOMENTS, [said for code, _, said in ends if code]
    assert not [said for _, _, said in ends if "Error" in said]
    seconds = sorted(seconds for _, seconds, _ in ends)
    assert seconds[MOMENTS * 3 // 4] < END_S
    assert seconds[-1] < END_AT_MOST_S
    assert all(path.suffix == ".mp4" and video_info(path).frames > 0 for path in tmp_path.iterdir())


@posix_only
@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupted_render_says_so_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    folder, clip = tmp_path / "out", tmp_path / "long.mp4"
    folder.mkdir()
    with Mp4File(clip, (64, 48), 25) as file:
        for _ in range(1000):
            file.send(flat((90, 90, 90)))
    process = start("render", "--avatar", BUNDLED_PORTRAIT, "--driving", clip, "--out", folder / "out.mp4")
    while not list(folder.iterdir()):  # the file that is being written
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert said == f"Interrupted by {number.name}.\n"
    assert list(folder.iterdir()) == []


def test_a_mistake_is_one_sentence() -> None:
    done = hifihead("run", "--avatar", "nothing.jpg")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: The picture nothing.jpg does not exist.\n"


def test_a_dark_clip_without_a_face_only_idles(tmp_path: Path) -> None:
    clip, out = tmp_path / "dark.mp4", tmp_path / "out.mp4"
    with Mp4File(clip, (64, 48), 25) as file:
        file.send(flat((5, 5, 5)))
    done = hifihead("render", "--avatar", BUNDLED_PORTRAIT, "--driving", clip, "--out", out, "--size", "256")
    assert done.returncode == 0
    assert "No face was found" in done.stderr
