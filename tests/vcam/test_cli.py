"""Every command through its command line: what it writes, prints and returns, also when it is used wrongly."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import plugins.avsync
import vcam.bench.engines
import vcam.bench.pipeline
from engine.errors import DeviceError, InputError
from engine.mp4 import Mp4File
from engine.recording import MOTION, Recording
from engine.runtime.verification import Verification
from engine.values import EXPRESSION_NAMES, Coefficients
from engine.video import read_frames, video_info
from tests.commands import hifihead, refuse_faults
from tests.fakes import FakeAnimator, FakeBuilder, FakeSink, FakeTracker, fake_face, flat
from vcam.cli.app import run_command
from vcam.cli.edit import Edit, edited
from vcam.interfaces import PortraitAnimator
from vcam.session import Session


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "red.jpg"
    cv2.imwrite(str(path), flat((30, 30, 200), 100, 100))
    return path


@pytest.fixture
def driving(tmp_path: Path) -> Path:
    path = tmp_path / "drive.mp4"
    sink = Mp4File(path, (64, 48), 25)
    for number in range(10):
        sink.send(flat((20 * number,) * 3))
    sink.close()
    return path


class CliBuilder(FakeBuilder):
    """Opens fakes for the commands, all with the same animator."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.animator = type(self).shared
        type(self).made.append(self)

    shared: FakeAnimator
    made: list[CliBuilder]


@pytest.fixture
def fakes() -> type[CliBuilder]:
    """A builder of its own for each test; the settings of the checkout are not read."""

    class Fresh(CliBuilder):
        shared, made = FakeAnimator(), []

    return Fresh


def test_run_records_a_file_of_exactly_the_frames_wanted(
    fakes: type[CliBuilder], photo: Path, driving: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mp4"
    arguments = [
        "--avatar",
        str(photo),
        "--camera",
        str(driving),
        "--output",
        f"file:{out}",
        "--size",
        "160x128",
        "--frames",
        "12",
    ]
    assert run_command(["run", *arguments], fakes) == 0
    frames = list(read_frames(out))
    assert len(frames) == 12
    assert frames[0].image.shape == (128, 160, 3)
    assert np.abs(frames[5].image[64, 80].astype(int) - (200, 30, 30)).max() < 12
    assert "Sent 12 pictures" in capsys.readouterr().err


def test_run_without_devices_says_what_is_missing(
    fakes: type[CliBuilder], photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["run", "--avatar", str(photo), "--frames", "5"], fakes) == 0
    said = capsys.readouterr().err
    assert "Showing the preview page only. There is no virtual camera." in said
    assert re.search(r"Preview: http://127\.0\.0\.1:\d+/[\w-]{20,}/", said)


def test_the_button_of_the_preview_page_reaches_the_driver(
    fakes: type[CliBuilder], photo: Path, driving: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def press(session: Session) -> None:
        while True:
            try:
                return session.recalibrate()
            except InputError:  # the driver is not seen yet
                time.sleep(0.01)

    class PressedAtOnce(fakes):  # type: ignore[valid-type,misc]
        def open_sink(self, session: Session, name: str, argument: str = "", *, required: bool = True) -> FakeSink:
            threading.Thread(target=press, args=(session,)).start()
            return FakeSink()

    arguments = ["--avatar", str(photo), "--camera", str(driving), "--output", "preview", "--frames", "20"]
    assert run_command(["run", *arguments], PressedAtOnce) == 0
    assert capsys.readouterr().err.count("Calibrated: the face of this moment is the one at rest.") == 1


def test_run_sends_a_placeholder_before_anything_is_loaded(fakes: type[CliBuilder], photo: Path) -> None:
    sink, seen_at_load = FakeSink(), list[int]()

    class Watched(fakes):  # type: ignore[valid-type,misc]
        def open_sink(self, session: Session, name: str, argument: str = "", *, required: bool = True) -> FakeSink:
            return sink

        def open_animator(self, *, strict: bool = False) -> PortraitAnimator:
            seen_at_load.append(len(sink.sent))
            return super().open_animator(strict=strict)

    assert run_command(["run", "--avatar", str(photo), "--output", "virtual", "--frames", "3"], Watched) == 0
    assert seen_at_load[0] >= 1
    assert sink.sent[0].shape == (720, 1280, 3)
    assert sink.closed


def test_run_ends_cleanly_on_ctrl_c_and_sigterm(fakes: type[CliBuilder], photo: Path, driving: Path, tmp_path: Path) -> None:
    for number, name in ((signal.SIGINT, "int.mp4"), (signal.SIGTERM, "term.mp4")):
        threading.Timer(1.0, os.kill, (os.getpid(), number)).start()
        output = f"file:{tmp_path / name}"
        assert (
            run_command(["run", "--avatar", str(photo), "--camera", str(driving), "--output", output, "--size", "160x128"], fakes)
            == 0
        )
        assert video_info(tmp_path / name).frames > 3


def test_run_swaps_the_avatar_when_the_settings_change(fakes: type[CliBuilder], tmp_path: Path, driving: Path) -> None:
    for colour in ("red", "blue"):
        cv2.imwrite(str(tmp_path / f"{colour}.jpg"), flat((0, 0, 0)))
    config, out = tmp_path / "config.toml", tmp_path / "out.mp4"
    config.write_text('[avatar]\nphoto = "red.jpg"\n')

    def edit_later() -> None:
        time.sleep(1.0)
        config.write_text('[avatar]\nphoto = "blue.jpg"\n')

    threading.Thread(target=edit_later).start()
    arguments = ["--config", str(config), "--camera", str(driving), "--output", f"file:{out}", "--size", "160x128"]
    assert run_command(["run", *arguments, "--frames", "75"], fakes) == 0
    reds = [int(frame.image[64, 80, 0]) for frame in read_frames(out)]
    assert reds[0] > 180
    assert reds[-1] < 60
    assert all(later <= earlier + 8 for earlier, later in pairwise(reds))  # no flash, no way back


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--avatar", "nothing.jpg"], "nothing.jpg does not exist"),
        (["--camera", "nothing.mp4"], "no camera or video 'nothing.mp4'"),
        (["--output", "virtual"], "no virtual camera"),
        (["--output", "file:a.avi"], "must end in .mp4"),
        (["--config", "nothing.toml"], "nothing.toml cannot be read"),
    ],
)
def test_run_refuses_in_one_sentence(
    fakes: type[CliBuilder], photo: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    given = arguments if "--avatar" in arguments else ["--avatar", str(photo), *arguments]
    assert run_command(["run", *given, "--frames", "2"], fakes) == 1
    said = capsys.readouterr().err
    assert words in said
    refuse_faults(said)


def test_run_ends_with_the_reason_when_the_portrait_has_no_face(
    fakes: type[CliBuilder], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(tmp_path / "noface.jpg"), flat((0, 0, 0)))
    assert run_command(["run", "--avatar", str(tmp_path / "noface.jpg"), "--output", f"file:{tmp_path / 'o.mp4'}"], fakes) == 1
    assert "shows no face" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["noface.jpg"]


def test_render_writes_every_frame_and_a_report(fakes: type[CliBuilder], photo: Path, driving: Path, tmp_path: Path) -> None:
    class FourFaces(fakes):  # type: ignore[valid-type,misc]
        def open_tracker(self) -> FakeTracker:
            return FakeTracker(iter([fake_face()] * 4))

    out, report = tmp_path / "out.mp4", tmp_path / "report.json"
    arguments = ["--avatar", str(photo), "--driving", str(driving), "--out", str(out), "--report", str(report), "--size", "256"]
    assert run_command(["render", *arguments], FourFaces) == 0
    assert len(list(read_frames(out))) == 10
    written = json.loads(report.read_text())
    assert (written["frames"], written["faces"], written["driving_fps"]) == (10, 4, 25.0)
    assert written["states"][:4] == ["driving"] * 4
    assert video_info(out).width_px == 256


def test_a_failed_render_leaves_nothing_behind(
    fakes: type[CliBuilder], photo: Path, driving: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fakes.shared.fail = RuntimeError("device lost")
    out = tmp_path / "out.mp4"
    assert run_command(["render", "--avatar", str(photo), "--driving", str(driving), "--out", str(out)], fakes) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drive.mp4", "red.jpg"]


def test_edit_writes_the_picture_of_the_changed_coefficients(fakes: type[CliBuilder], photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "edit.png"
    arguments = ["--avatar", str(photo), "--set", "jawOpen=0.5", "--set", "eyeBlinkLeft=1", "--yaw-deg", "20", "--gaze-x", "0.2"]
    assert run_command(["edit", *arguments, "--out", str(out)], fakes) == 0
    assert cv2.imread(str(out)).shape == (512, 512, 3)
    z = fakes.shared.drawn[-1]
    assert z.expression[EXPRESSION_NAMES.index("jawOpen")] == 0.5
    assert z.pose[1] == pytest.approx(np.radians(20))
    assert z.gaze.tolist() == pytest.approx([0.2, 0, 0.2, 0])
    assert z.identity[0] == 260  # the portrait's own


def test_render_edit_and_run_use_the_settings_and_only_the_camera_changes_engines(
    fakes: type[CliBuilder], photo: Path, driving: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[runtime]\nbundle = "mine"\n')
    common = ["--avatar", str(photo), "--config", str(config)]
    assert run_command(["edit", *common, "--out", str(tmp_path / "a.png")], fakes) == 0
    render = ["render", *common, "--driving", str(driving), "--out", str(tmp_path / "a.mp4"), "--size", "160x128"]
    assert run_command(render, fakes) == 0
    output = ["--output", f"file:{tmp_path / 'b.mp4'}", "--size", "160x128", "--frames", "1"]
    assert run_command(["run", *common, "--camera", str(driving), *output], fakes) == 0
    assert [(builder.settings.runtime.bundle, builder.config_path) for builder in fakes.made] == [("mine", config)] * 3
    assert [builder.reproducible for builder in fakes.made] == [True, True, False]


def test_an_edit_of_nothing_keeps_everything() -> None:
    z = Coefficients.neutral()
    assert (edited(z, Edit({})).vector() == z.vector()).all()


@pytest.mark.parametrize(
    "arguments",
    [
        ["bogus"], ["run", "--bogus"], ["run", "--size", "7x"], ["run", "--frames", "0"], ["run", "--frames", "x"],
        ["run", "--output", "screen"], ["render"], ["edit", "--out", "a.png", "--set", "jawOpn=1"],
        ["edit", "--out", "a.png", "--yaw-deg", "400"], ["inspect"], ["bench", "--seconds", "0"],
        ["render", "--avatar", "a", "--driving", "b", "--out", "c.mp4", "--size", "9"],
    ],
)  # fmt: skip
def test_wrong_use_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(arguments) == 2
    refuse_faults(capsys.readouterr().err)


@pytest.mark.parametrize("command", ["run", "render", "edit", "inspect", "devices", "bench", "doctor"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([command, "--help"]) == 0
    assert f"hifihead {command}" in capsys.readouterr().out


TRIALS = {
    "openvino": Verification("openvino", ok=True, psnr_db=150.0, ms=20.0, build_s=0.5),
    "tensorrt": Verification("tensorrt", ok=False, reason="The engine 'tensorrt' is not installed."),
}


def no_virtual_microphone(device: str) -> None:
    raise DeviceError("There is no sound here.")


def test_bench_prints_the_agreed_shape(
    fakes: type[CliBuilder], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = np.ones(2, bool)
    still = Recording(np.array([0, 9]), np.zeros((2, MOTION), np.float32), flags, flags, np.zeros(2, np.int64))
    monkeypatch.setattr(vcam.bench.pipeline, "read_demo", lambda: still)
    monkeypatch.setattr(vcam.bench.pipeline, "WARM_UP_S", 0.1)
    monkeypatch.setattr(plugins.avsync, "open_virtual_microphone", no_virtual_microphone)
    monkeypatch.setattr(vcam.bench.engines, "engine_names", lambda: list(TRIALS))
    monkeypatch.setattr(vcam.bench.engines, "verify_engine", lambda _folder, name: TRIALS[name])
    assert run_command(["bench", "--json", "--seconds", "2", "--plugins"], fakes) == 0
    result = json.loads(capsys.readouterr().out)
    assert set(result) == {"end_to_end", "stages", "plugins", "memory_mb", "unpaced", "engines", "peak_gflop_per_s"}
    assert {"plugin lipsync", "plugin disclosure", "plugin recorder"} <= set(result["plugins"]["stages"])
    each = {row["name"]: row for row in result["plugins"]["each"]}
    assert list(each) == ["lipsync", "background", "disclosure", "avsync", "recorder", "together"]
    assert not [row["reason"] for row in each.values() if row["reason"]]
    assert each["recorder"]["cpu_ms"] > 0
    assert each["together"]["cpu_ms"] == pytest.approx(sum(row["cpu_ms"] for row in each.values()) / 2, abs=0.01)
    assert not [stage for stage in result["stages"] if stage.startswith("plugin")]
    assert set(result["end_to_end"]) == {"fps", "latency_ms", "jitter_ms", "cpu_s_per_s"}
    assert result["unpaced"]["fps"] > 0
    assert [row["name"] for row in result["engines"]] == ["openvino", "tensorrt"]
    assert result["end_to_end"]["fps"] > 5
    assert result["end_to_end"]["latency_ms"]["p50"] > 0
    assert set(result["stages"]) >= {"track", "drive", "animate", "compose", "send"}
    assert all(set(times) == {"p50_ms", "p95_ms"} for times in result["stages"].values())


def test_an_unexpected_failure_is_a_sentence(
    fakes: type[CliBuilder], photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fakes.shared.fail = ZeroDivisionError("oops")
    assert run_command(["edit", "--avatar", str(photo), "--out", str(tmp_path / "a.png")], fakes) == 1
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "Traceback" not in said


def test_the_program_itself_sets_its_environment_and_returns_its_code() -> None:
    """As a user starts it: a process of its own."""
    done = hifihead("run", "--avatar", "nothing.jpg")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: The picture nothing.jpg does not exist.\n"
    code = "import os; from engine.process import prepare_process; prepare_process(); print(os.environ['OPENBLAS_NUM_THREADS'])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout == "1\n"


def test_a_terminal_without_the_marks_gets_something_readable() -> None:
    western = {**os.environ, "PYTHONIOENCODING": "cp1252"}  # Windows, redirected
    code = "from vcam.__main__ import print_anything; print_anything(); print('✔ Python')"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True, env=western)
    assert result.stdout.strip() == b"? Python"


def test_the_version_tells_which_build_this_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--version"]) == 0
    said = capsys.readouterr().out
    manifest = (Path(__file__).parents[2] / "engine" / "assets" / "live" / "manifest.json").read_bytes()
    assert said.startswith("HifiHead Cam 0.1.0\n")
    assert f"live {hashlib.sha256(manifest).hexdigest()[:8]}" in said
    assert f"numpy {np.__version__}" in said
    assert "commit " in said or "checkout in" in said or "package in" in said
