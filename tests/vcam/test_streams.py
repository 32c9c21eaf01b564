"""Packets of other programs, through real UDP sockets of this machine. Nothing is waited for by time."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.errors import ConfigError, InputError
from engine.values import EXPRESSION_NAMES
from tests.fakes import FakeBuilder, FakeClock, Said
from vcam.config import Settings
from vcam.config_file import parse_settings
from vcam.messages import Messages
from vcam.protocols import ifacialmocap, livelink, openseeface, vmc, vtubestudio
from vcam.protocols.face import StreamedFace, no_face
from vcam.sources import ifacialmocap as ifacialmocap_source
from vcam.sources import livelink as livelink_source
from vcam.sources import open_named, resolve
from vcam.sources import vmc as vmc_source
from vcam.sources import vtubestudio as vtubestudio_source
from vcam.sources.stream import EVERYBODY, GONE_S, REOPEN_S, StreamProtocol, StreamSource, open_stream

JAW = EXPRESSION_NAMES.index("jawOpen")
WAIT_S = 20.0  # nothing is waited for: packets to this machine have arrived when they are sent
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="other systems have only one address of the loopback network")


def face(jaw: float, order: float | None = None) -> StreamedFace:
    scores = np.zeros(52, np.float32)
    scores[JAW] = jaw
    zeros = np.zeros(3, np.float32)
    return StreamedFace(scores, zeros, zeros, np.zeros(4, np.float32), order=order)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Listening:
    """A source of a protocol on a free port, and what sends to it."""

    def __init__(self, protocol: StreamProtocol, **streams: Any) -> None:
        self.clock, self.said = FakeClock(), Said()
        settings = Settings.model_validate({"streams": streams})
        self.builder = FakeBuilder(settings, clock=self.clock, messages=Messages(self.said, self.clock))
        self.port = free_port()
        self.source = open_stream(self.builder, protocol, str(self.port))

    def send(self, *packets: bytes, source: str = "127.0.0.1") -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind((source, 0))
            for packet in packets:
                sender.sendto(packet, ("127.0.0.1", self.port))

    def jaw(self) -> float | None:
        """What the next observation says of the jaw; None without one, or without a face."""
        self.clock.pass_time(0.1)
        observation = self.source.take(0.0)
        return None if observation is None or observation.driver is None else float(observation.driver.expression[JAW])


@contextmanager
def listening(protocol: StreamProtocol, **streams: Any) -> Iterator[Listening]:
    ears = Listening(protocol, **streams)
    with ears.source:
        ears.source.start()
        yield ears


@pytest.mark.parametrize(
    ("setting", "packets"),
    [
        ("ifacialmocap", [ifacialmocap.encode(face(0.5))]),
        ("livelink", [livelink.encode(face(0.5))]),
        ("vmc", vmc.encode(face(0.5))),
        ("openseeface", [openseeface.encode(face(0.5, 1.0))]),
        ("vtubestudio", [vtubestudio.encode(face(0.5, 1.0))]),
    ],
)
def test_every_protocol_is_a_source_without_a_camera(setting: str, packets: list[bytes]) -> None:
    port = free_port()
    settings = Settings.model_validate({"camera": {"source": f"{setting}:{port}"}, "streams": {"phone": "127.0.0.1"}})
    builder = FakeBuilder(settings, clock=FakeClock())
    with builder.open_sources() as source, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        source.prepare()
        source.start()
        for packet in packets:
            sender.sendto(packet, ("127.0.0.1", port))
        observation = source.take(WAIT_S)
        assert observation is not None
        assert observation.driver is not None
        assert observation.driver.expression[JAW] == pytest.approx(0.5, abs=0.01)
        assert source.follows


def test_of_many_packets_the_newest_counts() -> None:
    with listening(livelink_source.PROTOCOL) as ears:
        ears.send(*[livelink.encode(face(number / 120), frame=number) for number in range(120)])
        assert ears.jaw() == pytest.approx(119 / 120)
        assert ears.jaw() is None
        assert ears.said == []


def test_packets_that_are_replayed_or_out_of_order_are_left_out() -> None:
    with listening(livelink_source.PROTOCOL) as ears:
        ears.send(livelink.encode(face(0.5), frame=100))
        assert ears.jaw() == 0.5
        ears.send(livelink.encode(face(0.5), frame=100), livelink.encode(face(0.9), frame=99))
        assert ears.jaw() is None
        ears.send(livelink.encode(face(0.25), frame=101))
        assert ears.jaw() == 0.25
        ears.clock.pass_time(GONE_S)
        ears.send(livelink.encode(face(0.125), frame=1))  # the app was started anew
        assert ears.jaw() == 0.125


@pytest.mark.parametrize("packet", [b"", b"\x06", b"x" * 60000, livelink.encode(face(0.5))[:-1], b"\0" * 300])
def test_bad_packets_are_told_once_and_do_no_harm(packet: bytes) -> None:
    with listening(livelink_source.PROTOCOL) as ears:
        ears.send(*[packet] * 5)
        assert ears.jaw() is None
        assert len(ears.said) == 1
        assert f"UDP port {ears.port} is not from Live Link Face" in ears.said[0]
        ears.send(packet, livelink.encode(face(0.5)), packet)
        assert ears.jaw() == 0.5


def test_a_phone_that_sees_nobody_says_so() -> None:
    with listening(livelink_source.PROTOCOL) as ears:
        ears.send(livelink.encode(no_face()))
        observation = ears.source.take(WAIT_S)
        assert observation is not None
        assert observation.driver is None


def test_a_frame_of_vmc_may_come_in_many_packets() -> None:
    with listening(vmc_source.PROTOCOL) as ears:
        first, *rest = vmc.encode(face(0.5, 1.0))
        ears.send(first)
        assert ears.jaw() is None
        ears.send(*rest)
        assert ears.jaw() == 0.5


@linux_only
def test_while_one_sends_nobody_else_is_heard() -> None:
    with listening(ifacialmocap_source.PROTOCOL) as ears:
        ears.send(ifacialmocap.encode(face(0.5)))
        ears.send(ifacialmocap.encode(face(0.9)), source="127.0.0.2")
        assert ears.jaw() == 0.5
        assert "packets from 127.0.0.2 are left out while 127.0.0.1 sends" in ears.said.text
        ears.clock.pass_time(GONE_S)
        ears.send(ifacialmocap.encode(face(0.9)), source="127.0.0.2")
        assert ears.jaw() == pytest.approx(0.9)


@linux_only
def test_only_the_named_phone_is_heard() -> None:
    with listening(ifacialmocap_source.PROTOCOL, phone="127.0.0.3") as ears:
        ears.send(ifacialmocap.encode(face(0.9)))
        assert ears.jaw() is None
        assert "packets from 127.0.0.1 are left out (streams.phone)" in ears.said.text
        ears.send(ifacialmocap.encode(face(0.5)), source="127.0.0.3")
        assert ears.jaw() == 0.5


def test_only_this_machine_is_heard_unless_the_network_is_opened() -> None:
    with listening(livelink_source.PROTOCOL) as ears:
        assert ears.source._socket is not None
        assert ears.source._socket.getsockname()[0] == "127.0.0.1"
    with listening(livelink_source.PROTOCOL, lan=True) as ears:
        assert ears.source._socket is not None
        assert ears.source._socket.getsockname()[0] == EVERYBODY
    with pytest.raises(ConfigError, match=r"another machine: set streams\.lan = true"):
        Listening(livelink_source.PROTOCOL, phone="192.168.1.20")
    with pytest.raises(ConfigError, match=r"set streams\.phone to the address"):
        Listening(vtubestudio_source.PROTOCOL)


def test_a_port_that_is_taken_is_told_and_tried_again() -> None:
    ears = Listening(livelink_source.PROTOCOL)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", ears.port))
        ears.source.start()
        assert ears.source.take(0.0) is None
        assert f"cannot listen on UDP port {ears.port}" in ears.said.text
    ears.clock.pass_time(REOPEN_S)
    with ears.source:
        assert ears.source.take(0.0) is None
        ears.send(livelink.encode(face(0.5)))
        assert ears.jaw() == 0.5


def test_a_phone_is_asked_until_it_sends_or_for_as_long_as_it_shall_send() -> None:
    for asking, goes_on in ((ifacialmocap_source.PROTOCOL, False), (vtubestudio_source.PROTOCOL, True)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.bind(("127.0.0.1", 0))
            phone.settimeout(WAIT_S)
            protocol = replace(asking, phone_port=phone.getsockname()[1])
            with listening(protocol, phone="127.0.0.1") as ears:
                ears.source.take(0.0)
                asked, (_, port) = phone.recvfrom(1000)
                assert port == ears.port  # it answers to where it was asked from
                assert protocol.request is not None
                assert asked == protocol.request(ears.port)
                ears.clock.pass_time(5)
                ears.send((ifacialmocap if not goes_on else vtubestudio).encode(face(0.5, 1.0)))
                ears.source.take(WAIT_S)
                phone.recvfrom(1000)  # it was silent for long
                ears.clock.pass_time(GONE_S / 2)
                ears.source._ask_s = ears.clock.now()
                ears.source.take(0.0)
                phone.setblocking(False)
                if goes_on:
                    assert b"iOSTrackingDataRequest" in phone.recv(1000)
                else:
                    with pytest.raises(BlockingIOError):
                        phone.recv(1000)


def test_what_came_during_a_rest_is_old() -> None:
    with listening(ifacialmocap_source.PROTOCOL) as ears:
        ears.source.rest()
        ears.send(ifacialmocap.encode(face(0.9)))
        ears.source.wake()
        assert ears.jaw() is None
        ears.send(ifacialmocap.encode(face(0.5)))
        assert ears.jaw() == 0.5


def test_a_closed_source_takes_nothing_and_frees_its_port() -> None:
    ears = Listening(livelink_source.PROTOCOL)
    ears.source.start()
    ears.source.close()
    ears.source.close()
    assert ears.source.take(WAIT_S) is None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", ears.port))


def test_mistakes_in_the_settings_are_named() -> None:
    for text, words in (
        ('sources = ["webcam"]', r"streams\.sources must be a list of ifacialmocap\[:PORT\] or livelink"),
        ('sources = "vmc"', r"streams\.sources must be a list in brackets"),
        ('phone = "my phone"', r"streams\.phone must be an IPv4 address"),
        ("lan = 1", r"streams\.lan must be true or false"),
    ):
        with pytest.raises(ConfigError, match=words):
            parse_settings(f"[streams]\n{text}", "config.toml")
    builder = FakeBuilder(Settings.model_validate({"streams": {"sources": ["livelink", "vmc:39541"]}}), clock=FakeClock())
    with builder.open_sources() as sources:
        assert list(sources.states()) == ["Live Link Face", "VMC", "recording"]
    with pytest.raises(InputError, match="needs a port"):
        open_named(builder, "vmc:all")
    assert resolve("livelink") == ("livelink", "")


def test_a_source_type_is_what_the_registry_says() -> None:
    assert isinstance(open_named(FakeBuilder(clock=FakeClock()), "openseeface"), StreamSource)
