"""The program as a process of its own: what it leaves on the disk, without any network but its own, and stopped for a while."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from engine.mp4 import Mp4File
from engine.video import read_frames
from tests.commands import ROOT, Command, finished
from tests.faults.code import HEIGHT, WIDTH, LeakDetector
from tests.faults.rig import FaultyWebcam

pytestmark = pytest.mark.faults

FRAMES = 120
RUN_BYTES = 48  # so many bytes of a row of a picture, anywhere in a file, are no chance
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals of other processes are POSIX's")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the webcam of the other tests sees, as a video."""
    path, webcam = tmp_path_factory.mktemp("clip") / "actor.mp4", FaultyWebcam()
    with Mp4File(path, (WIDTH, HEIGHT), 30) as file:
        for number in range(FRAMES):
            file.send(np.ascontiguousarray(webcam.frame(number)[..., ::-1]))
    return path


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "vcam", *map(str, arguments)]


def surroundings(home: Path) -> dict[str, str]:
    """A home of its own, so that everything written is seen."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")}
    return {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT), "TMPDIR": str(home), "PYTHONDONTWRITEBYTECODE": "1"}


def test_neither_the_recording_nor_any_file_has_a_pixel_of_the_webcam(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    options = ["run", "--camera", clip, "--output", f"file:{out}", "--frames", "150", "--size", "512x512"]
    done = subprocess.run(
        command("--verbose", *options), cwd=ROOT, env=surroundings(tmp_path), capture_output=True, timeout=170, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    detector = LeakDetector()
    for number, frame in enumerate(read_frames(out)):
        detector.look(frame.image, number)
    assert detector.looked_at >= 150
    assert detector.found == []
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 1  # the recording, and the log
    for frame in list(read_frames(clip))[::10]:
        for row in frame.image[100:400:30]:
            rgb, bgr, grey = (row[200:216].tobytes(), row[200:216, ::-1].tobytes(), row[200:248, 1].tobytes())
            assert len(grey) == len(rgb) == RUN_BYTES
            assert not [data for data in [*files, done.stdout, done.stderr] if rgb in data or bgr in data or grey in data]


@posix_only
def test_a_program_that_was_stopped_for_a_while_goes_on(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    options = ["run", "--camera", clip, "--output", f"file:{out}", "--size", "256x256"]
    process = Command(command(*options), env=surroundings(tmp_path))
    process.wait_for("The avatar is live")
    process.send_signal(signal.SIGSTOP)
    time.sleep(20)
    size = max(path.stat().st_size for path in tmp_path.glob("out*"))
    process.send_signal(signal.SIGCONT)
    end_s = time.monotonic() + 60
    while max(path.stat().st_size for path in tmp_path.glob("out*")) <= size:
        assert time.monotonic() < end_s
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert sum(1 for _ in read_frames(out)) > 10


@pytest.mark.skipif(
    not shutil.which("unshare") or subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode != 0,
    reason="needs a network namespace of its own",
)
def test_no_packet_leaves_this_machine(clip: Path, tmp_path: Path) -> None:
    """In a namespace with nothing but lo, where whatever wants to go elsewhere is counted."""
    out = tmp_path / "out.mp4"
    line = " ".join(command("run", "--camera", clip, "--output", f"preview,file:{out}", "--frames", "60", "--size", "256x256"))
    script = f"ip link set lo up 2>/dev/null || ifconfig lo up; {line} && cat /proc/net/snmp"
    done = finished(["unshare", "-rn", "sh", "-c", script], env=surroundings(tmp_path))
    assert done.returncode == 0, done.stderr
    names, values = [row.split()[1:] for row in done.stdout.splitlines() if row.startswith("Ip:")][:2]
    assert dict(zip(names, values, strict=True))["OutNoRoutes"] == "0"
