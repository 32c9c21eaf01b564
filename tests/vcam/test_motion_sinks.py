"""Motion that goes to other programs: received by real sockets, decoded by the sources' own parsers."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from engine.errors import ConfigError, InputError
from engine.recording import read_recording
from engine.values import EXPRESSION_NAMES, Coefficients
from tests.fakes import FakeBuilder, FakeClock, FakeSink, Said, flat
from tests.vcam.test_streams import face, free_port
from vcam.build import Builder
from vcam.clock import SystemClock
from vcam.config import Settings
from vcam.config_file import parse_settings
from vcam.messages import Messages
from vcam.motion import MotionFrame, Observation
from vcam.motion_sinks import open_motion_sink
from vcam.motion_sinks.group import MotionSinks, departure
from vcam.motion_sinks.recording import RecordingSink
from vcam.motion_sinks.vtubestudio import VTubeStudioSink
from vcam.protocols import livelink, vmc
from vcam.protocols.face import StreamedFace
from vcam.session import Session

JAW, BLINK = EXPRESSION_NAMES.index("jawOpen"), EXPRESSION_NAMES.index("eyeBlinkLeft")
WAIT_S = 20.0


def builder_of(send: list[str], **streams: Any) -> FakeBuilder:
    return FakeBuilder(Settings.model_validate({"streams": {"send": send, **streams}}), clock=FakeClock())


@contextmanager
def ear() -> Iterator[tuple[socket.socket, int]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
        heard.bind(("127.0.0.1", 0))
        heard.settimeout(WAIT_S)
        yield heard, int(heard.getsockname()[1])


def test_what_is_sent_is_the_departure_from_the_portraits_rest() -> None:
    rest, shown = Coefficients.neutral(), Coefficients.neutral()
    rest.expression[JAW], shown.expression[JAW] = 0.2, 0.5
    rest.expression[BLINK], shown.expression[BLINK] = 0.25, 1.0
    rest.pose[1], shown.pose[1] = 0.3, 0.1
    shown.gaze[:] = [0.2, 0.1, 0.2, 0.1]
    sent = departure(MotionFrame(shown, "driving", 5.0, None, "x", 0), rest)
    assert sent.expression[JAW] == pytest.approx(0.3)
    assert sent.expression[BLINK] == pytest.approx(1.0)
    assert sent.angles_rad[1] == pytest.approx(-0.2)
    assert sent.expression[EXPRESSION_NAMES.index("eyeLookOutLeft")] > 0.2
    assert sent.found
    assert not departure(MotionFrame(shown, "idle", 5.0, None, "x", 0), rest).found


def test_vmc_and_live_link_are_what_their_receivers_read() -> None:
    with ear() as (heard, port):
        with open_motion_sink(builder_of([]), f"vmc:127.0.0.1:{port}") as sink:
            sink.send(None, face(0.5, 1.0))
            assembler, got = vmc.VmcAssembler(), None
            while got is None:
                got = assembler.feed(heard.recv(2000))
            assert got.expression[JAW] == 0.5
        with open_motion_sink(builder_of([]), f"livelink:127.0.0.1:{port}") as sink:
            sink.send(None, face(0.5, 1.0))
            sink.send(None, face(0.75, 2.0))
            first, second = livelink.decode(heard.recv(2000)), livelink.decode(heard.recv(2000))
            assert (first.expression[JAW], second.expression[JAW]) == (0.5, 0.75)
            assert (first.order, second.order) == (1.0, 2.0)


def test_nothing_leaves_this_machine_unless_the_network_is_opened() -> None:
    with pytest.raises(ConfigError, match=r"another machine: set streams\.lan = true"):
        open_motion_sink(builder_of([]), "vmc:192.168.1.5:39539")
    with open_motion_sink(builder_of([], lan=True), "vmc:192.168.1.5:39539") as sink:
        assert sink.name == "VMC at 192.168.1.5:39539"


def test_mistakes_are_sentences(tmp_path: Path) -> None:
    for setting in ("vmc:here", "livelink:127.0.0.1:99999", "vtubestudio:x"):
        with pytest.raises(InputError, match=r"Wanted|has a port"):
            open_motion_sink(builder_of([]), setting)
    for text in ('send = ["mp4"]', 'send = ["record"]', 'send = ["vmc:"]'):
        with pytest.raises(ConfigError, match=r"streams\.send must be a list of vmc\[:ADDRESS:PORT\] or"):
            parse_settings(f"[streams]\n{text}", "config.toml")
    (tmp_path / "old.z").write_bytes(b"")
    with pytest.raises(InputError, match="exists already"):
        builder_of([f"vmc:127.0.0.1:{free_port()}", f"record:{tmp_path / 'old.z'}"]).open_motion_sinks()


class Failing:
    name = "failing"
    closed = False

    def send(self, observation: Observation | None, shown: StreamedFace) -> None:
        raise InputError("full.z cannot be written further.")

    def close(self) -> None:
        self.closed = True


def test_one_that_fails_is_told_and_left_out(tmp_path: Path) -> None:
    clock, said, failing = FakeClock(), Said(), Failing()
    group = MotionSinks(Messages(said, clock))
    with group:
        group.add(failing)
        group.add(RecordingSink(tmp_path / "kept.z"))
        rest = Coefficients.neutral()
        for number in range(3):
            group.send(Observation(rest, number / 30), MotionFrame(rest, "driving", number / 30, None, "x", 0), rest)
        assert group.names == (str(tmp_path / "kept.z"),)
    assert (failing.closed, said) == (True, ["full.z cannot be written further."])
    assert len(read_recording(tmp_path / "kept.z").times_s) == 3


def test_a_session_sends_motion_and_changes_where_it_goes(tmp_path: Path) -> None:
    photo, made = tmp_path / "red.jpg", tmp_path / "made.z"
    cv2.imwrite(str(photo), flat((30, 30, 200)))
    with ear() as (heard, port):
        output = {"width_px": 160, "height_px": 128}
        settings = {"camera": {"source": "recording"}, "streams": {"send": [f"livelink:127.0.0.1:{port}"]}, "output": output}
        clock, ended = SystemClock(), threading.Event()

        class OneSink(FakeBuilder):
            def open_sink(self, session: Session, name: str, argument: str = "", *, required: bool = True) -> Any:
                return FakeSink(name)

        builder: Builder = OneSink(Settings.model_validate(settings), clock=clock, messages=Messages(Said(), clock))
        with Session(builder, photo) as session:
            session.start()
            thread = threading.Thread(target=lambda: session.run(ended))
            thread.start()
            try:
                faces = [livelink.decode(heard.recv(2000)) for _ in range(40)]
                session.update_settings({"streams": {"send": [f"record:{made}"]}})
                assert session.snapshot().motion_sinks == (str(made),)
                drawn = session.drawn
                while session.drawn < drawn + 10:
                    assert thread.is_alive()
            finally:
                ended.set()
                thread.join()
    assert all(each.found for each in faces)
    assert np.ptp([each.angles_rad for each in faces], axis=0).max() > 0.002
    assert len(read_recording(made).times_s) >= 5


class VTubeStudio:
    """Its plug-in interface: allows everybody, and keeps what it is sent."""

    def __init__(self, port: int, *, allows: bool = True) -> None:
        self.requests: list[dict[str, Any]] = []
        self.injected, self._allows = threading.Event(), allows
        self._server = serve(self._answer, "127.0.0.1", port)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def _answer(self, connection: ServerConnection) -> None:
        try:
            for text in connection:
                request = json.loads(text)
                self.requests.append(request)
                kind, data = request["messageType"], request["data"]
                if kind == "AuthenticationTokenRequest":
                    answer = (
                        ("AuthenticationTokenResponse", {"authenticationToken": "secret"}) if self._allows else ("APIError", {})
                    )
                elif kind == "AuthenticationRequest":
                    answer = ("AuthenticationResponse", {"authenticated": data["authenticationToken"] == "secret"})
                else:
                    answer = ("InjectParameterDataResponse", {})
                    self.injected.set()
                connection.send(json.dumps({"messageType": answer[0], "data": answer[1]}))
        except ConnectionClosed:
            pass

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()


def test_vtube_studio_is_asked_once_and_gets_the_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for proxy in ("http_proxy", "https_proxy", "socks_proxy"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")  # nothing may go there
    port, said = free_port(), Said()
    token = tmp_path / "kept" / "token"
    for number in range(2):
        studio = VTubeStudio(port)
        with VTubeStudioSink(port, token, Messages(said, FakeClock())) as sink:
            sink.send(None, face(0.5))
            assert studio.injected.wait(WAIT_S)
        studio.close()
        kinds = [request["messageType"] for request in studio.requests]
        expected = ["AuthenticationTokenRequest", "AuthenticationRequest"] if number == 0 else ["AuthenticationRequest"]
        assert kinds[: len(expected) + 1] == [*expected, "InjectParameterDataRequest"]
        data = studio.requests[-1]["data"]
        assert {"id": "MouthOpen", "value": 0.5} in data["parameterValues"]
        assert data["mode"] == "set"
    assert token.read_text() == "secret"
    assert token.stat().st_mode & 0o077 == 0
    assert len(said) == 1


def test_vtube_studio_that_refuses_or_is_not_there_is_told(tmp_path: Path) -> None:
    port, said = free_port(), Said()
    told = threading.Event()

    def say(sentence: str) -> None:
        said(sentence)
        if "takes no motion" in sentence:
            told.set()

    with VTubeStudioSink(port, tmp_path / "token", Messages(say, FakeClock())):
        assert told.wait(WAIT_S)
    told.clear()
    studio = VTubeStudio(port, allows=False)
    with VTubeStudioSink(port, tmp_path / "token", Messages(say, FakeClock())):
        assert told.wait(WAIT_S)
    studio.close()
    assert "not allowed" in said.text
    assert not (tmp_path / "token").exists()
