"""From a phone's packets to a moved picture, and recordings, with real commands and sockets."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.recording import read_recording
from engine.values import EXPRESSION_NAMES
from engine.video import read_frames
from tests.commands import refuse_faults, start
from tests.fakes import FakeBuilder, FakeSink
from tests.vcam.test_streams import free_port
from vcam.cli.app import run_command
from vcam.protocols import livelink
from vcam.protocols.face import StreamedFace
from vcam.session import Session

JAW = EXPRESSION_NAMES.index("jawOpen")


class Phone:
    """Sends Live Link Face's packets, 60 a second, until it is closed."""

    def __init__(self, port: int) -> None:
        self._port, self._stop = port, threading.Event()
        self.jaw = self.yaw_rad = 0.0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            frame = 0
            while not self._stop.wait(1 / 60):
                frame, scores = frame + 1, np.zeros(52, np.float32)
                scores[JAW] = self.jaw
                turn, zeros = np.array([0, self.yaw_rad, 0], np.float32), np.zeros(3, np.float32)
                packet = livelink.encode(StreamedFace(scores, turn, zeros, np.zeros(4, np.float32)), frame=frame)
                sender.sendto(packet, ("127.0.0.1", self._port))

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


@contextmanager
def phone() -> Iterator[tuple[Phone, int]]:
    port = free_port()
    sending = Phone(port)
    try:
        yield sending, port
    finally:
        sending.close()


def test_a_phones_packets_move_the_picture(tmp_path: Path) -> None:
    out = tmp_path / "moved.mp4"
    with phone() as (sender, port):
        with start(
            "run", "--camera", f"livelink:{port}", "--output", f"file:{out}", "--size", "256x256", "--frames", 75
        ) as process:
            process.wait_for("The avatar is live")
            sender.jaw, sender.yaw_rad = 0.7, 0.3
            _, said = process.communicate(timeout=100)
        assert process.returncode == 0, said
    frames = [frame.image.astype(np.int16) for frame in read_frames(out)]
    head = np.abs(frames[-1] - frames[0])[60:220, 60:200]
    corner = np.abs(frames[-1] - frames[0])[:30, :30]
    assert head.mean() > 6  # of 255: it turned, and the mouth opened
    assert corner.mean() < 3


@pytest.mark.skipif(os.name != "posix", reason="signals of other processes are POSIX's")
def test_a_recording_is_made_of_a_stream_and_moves_the_avatar(tmp_path: Path) -> None:
    out, video = tmp_path / "made.z", tmp_path / "played.mp4"
    with phone() as (sender, port), start("record", out, "--camera", f"livelink:{port}") as process:
        process.wait_for("Recording")
        sender.jaw = 0.75
        while not out.is_file() or out.stat().st_size < 40 * 312:
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
        assert f"Wrote {out}: " in said
    recorded = read_recording(out)
    assert recorded.face.all()
    assert recorded.motion[-1, JAW] == 0.75
    assert recorded.notes == ()
    with start("run", "--driving", out, "--output", f"file:{video}", "--size", "256x256", "--frames", 3) as process:
        _, said = process.communicate(timeout=100)
    assert process.returncode == 0, said
    assert len(list(read_frames(video))) == 3
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["made.z", "played.mp4"]


def test_mistakes_are_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cut = tmp_path / "cut.z"
    cut.write_bytes(b"\x89HHZ\r\n\x1a\n")
    for arguments, code, words in (
        (("run", "--driving", cut), 1, "is cut off in its head"),
        (("run", "--driving", cut, "--camera", "0"), 2, "got both"),
        (("record", cut, "--camera", "idle"), 1, "exists already"),
        (("run", "--camera", "vmc:x"), 1, "VMC needs a port from 1 to 65535"),
    ):
        assert run_command([*map(str, arguments)], NoSinks) == code
        said = capsys.readouterr().err
        assert words in " ".join(said.replace("│", " ").split())
        refuse_faults(said)


class NoSinks(FakeBuilder):
    """Shows nothing to anybody."""

    def open_sink(self, session: Session, name: str, argument: str = "", *, required: bool = True) -> Any:
        return FakeSink(name)
