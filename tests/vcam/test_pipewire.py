"""The PipeWire camera in a real session of PipeWire: its name, its pictures, its readers, and the session's end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import DeviceError
from tests.fakes import FakeBuilder, FakeClock, Said, flat, sending, with_source
from tests.vcam.pipewire_session import PATIENCE_S, PipeWireSession, missing_program, pictures_in, pipewire_session, wait_until
from vcam.clock import SystemClock
from vcam.config import Settings
from vcam.messages import Messages
from vcam.pipewire import library
from vcam.pipewire.library import session_socket
from vcam.session import Session
from vcam.sinks.pipewire import PipeWireCamera
from vcam.sinks.reopening import ReopeningSink

SIZE = (64, 48)
FPS = 30
RED = (220, 30, 30)
LEVELS = 200  # brightness says which picture it is
MISSING = missing_program()
needs_pipewire = pytest.mark.skipif(bool(MISSING), reason=f"{MISSING} is not installed")


@pytest.fixture(scope="module")
def pipewire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipeWireSession]:
    with pipewire_session(tmp_path_factory.mktemp("run")) as session:
        yield session


@pytest.fixture
def in_session(pipewire: PipeWireSession, monkeypatch: pytest.MonkeyPatch) -> PipeWireSession:
    """This process is one of the session's programs."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(pipewire.folder))
    return pipewire


def open_camera() -> PipeWireCamera:
    return PipeWireCamera(SIZE, FPS, "HifiHead Cam")


def numbered(number: int) -> np.ndarray:
    return flat((16 + number % LEVELS,) * 3, *SIZE)


@needs_pipewire
def test_the_camera_is_listed_by_its_name_and_gone_at_the_end(in_session: PipeWireSession) -> None:
    assert session_socket() is not None
    with open_camera() as camera:
        (properties,) = wait_until(in_session.cameras).values()
        assert properties["node.description"] == "HifiHead Cam"
        assert properties["media.role"] == "Camera"
        assert camera.name == "HifiHead Cam (PipeWire)"
    wait_until(lambda: not in_session.cameras())
    camera.close()


@needs_pipewire
def test_readers_get_the_pictures_in_their_size_colours_and_order(in_session: PipeWireSession, tmp_path: Path) -> None:
    outs = [tmp_path / "first.yuy2", tmp_path / "second.yuy2"]
    with open_camera() as camera, sending(camera.send, numbered, FPS):
        wait_until(in_session.cameras)
        with in_session.reading(outs[0], 12) as first, in_session.reading(outs[1], 12) as second:
            assert [first.wait(PATIENCE_S), second.wait(PATIENCE_S)] == [0, 0]
    for out in outs:
        pictures = pictures_in(out, SIZE)
        assert out.stat().st_size == len(pictures) * 2 * SIZE[0] * SIZE[1]
        assert len(pictures) == 12
        levels = [cv2.cvtColor(picture, cv2.COLOR_YUV2RGB_YUY2) for picture in pictures]
        assert all(np.ptp(level) == 0 for level in levels)
        numbers = [int(level[0, 0, 0]) for level in levels]
        assert numbers == sorted(numbers)
        assert len(set(numbers)) >= 8


@needs_pipewire
def test_colours_arrive_as_they_were(in_session: PipeWireSession, tmp_path: Path) -> None:
    halves = flat(RED, *SIZE)
    halves[:, SIZE[0] // 2 :] = (30, 60, 200)
    with open_camera() as camera, sending(camera.send, lambda _number: halves, FPS):
        wait_until(in_session.cameras)
        with in_session.reading(tmp_path / "out.yuy2", 3) as reader:
            assert reader.wait(PATIENCE_S) == 0
    seen = cv2.cvtColor(pictures_in(tmp_path / "out.yuy2", SIZE)[-1], cv2.COLOR_YUV2RGB_YUY2)
    assert np.abs(seen.astype(int) - halves).max() <= 2


@needs_pipewire
def test_readers_that_come_and_go_are_seen(in_session: PipeWireSession, tmp_path: Path) -> None:
    with open_camera() as camera:
        wait_until(in_session.cameras)
        assert not camera.watched()
        for _ in range(2):
            with in_session.reading(tmp_path / "out.yuy2"):
                wait_until(camera.watched)
            wait_until(lambda: not camera.watched())


@needs_pipewire
def test_a_reader_that_hangs_holds_nobody_up(in_session: PipeWireSession, tmp_path: Path) -> None:
    out = tmp_path / "out.yuy2"
    with open_camera() as camera, sending(camera.send, numbered, FPS):
        wait_until(in_session.cameras)
        with in_session.reading(tmp_path / "hangs.yuy2") as reader:
            wait_until(camera.watched)
            reader.send_signal(signal.SIGSTOP)
            sender = threading.Thread(target=lambda: [camera.send(flat(RED, *SIZE)) for _ in range(30)], daemon=True)
            sender.start()
            sender.join(PATIENCE_S)
            assert not sender.is_alive()
            with in_session.reading(out, 5) as other:
                assert other.wait(PATIENCE_S) == 0


@needs_pipewire
def test_the_camera_comes_back_with_the_session(in_session: PipeWireSession) -> None:
    clock, said = FakeClock(), Said()
    sink = ReopeningSink(open_camera, open_camera(), clock=clock, messages=Messages(said, clock), retry_s=2.0)

    def sent(sentence: str) -> bool:
        sink.send(flat(RED, *SIZE))
        clock.pass_time(1)
        return sentence in said.text

    try:
        wait_until(in_session.cameras)
        in_session.stop()
        wait_until(lambda: sent("is gone"))
        assert not sink.watched()
        in_session.start()
        wait_until(lambda: sent("Sending to the virtual camera HifiHead Cam (PipeWire)."))
        wait_until(in_session.cameras)
    finally:
        sink.close()


@needs_pipewire
def test_where_a_session_runs_the_automatic_outputs_have_its_camera(in_session: PipeWireSession, tmp_path: Path) -> None:
    said, ended = Said(), threading.Event()
    clock = SystemClock()
    builder = FakeBuilder(with_source(Settings(), "idle"), messages=Messages(said, clock), clock=clock)
    with Session(builder) as session:
        session.start()
        (properties,) = wait_until(in_session.cameras).values()
        assert properties["node.description"] == "HifiHead Cam"
        with in_session.reading(tmp_path / "out.yuy2", 3) as reader:
            thread = threading.Thread(target=session.run, args=(ended,))
            thread.start()
            assert reader.wait(PATIENCE_S) == 0
            ended.set()
            thread.join()
    wait_until(lambda: not in_session.cameras())
    assert "Sending to the virtual camera HifiHead Cam (PipeWire)." in said.text


def test_without_a_session_the_reason_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert session_socket() is None
    with pytest.raises(DeviceError, match=r"no PipeWire session|library"):
        open_camera()


def test_without_the_library_its_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "LIBRARY", "libno-such-thing.so.0")
    library.load.cache_clear()
    with pytest.raises(DeviceError, match="sudo apt install libpipewire"):
        open_camera()
    library.load.cache_clear()
