"""Each parser is the inverse of its encoder, and whatever else comes is refused with a ``PacketError``, never otherwise."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.values import EXPRESSION_NAMES
from vcam.protocols import ifacialmocap, livelink, openseeface, vmc, vtubestudio
from vcam.protocols.face import PacketError, StreamedFace, gaze_of_looks, no_face

JAW, SMILE = EXPRESSION_NAMES.index("jawOpen"), EXPRESSION_NAMES.index("mouthSmileLeft")


def vmc_decode(data: bytes) -> StreamedFace | None:
    return vmc.VmcAssembler().feed(data)


def vmc_decode_all(packets: list[bytes]) -> StreamedFace:
    assembler = vmc.VmcAssembler()
    faces = [assembler.feed(packet) for packet in packets]
    assert faces[-1] is not None
    assert faces[:-1] == [None] * (len(faces) - 1)
    return faces[-1]


DECODERS: dict[str, Callable[[bytes], Any]] = {
    "ifacialmocap": ifacialmocap.decode,
    "livelink": livelink.decode,
    "vtubestudio": vtubestudio.decode,
    "vmc": vmc_decode,
    "openseeface": openseeface.decode,
}


def face(scores: list[float], turn: list[float], place: list[float], order: float = 0.0) -> StreamedFace:
    expression = np.array(scores, np.float32)
    return StreamedFace(
        expression, np.array(turn, np.float32), np.array(place, np.float32), gaze_of_looks(expression), order=order
    )


def faces() -> st.SearchStrategy[StreamedFace]:
    def some(low: int, high: int, count: int) -> st.SearchStrategy[list[float]]:
        return st.lists(st.integers(1000 * low, 1000 * high).map(lambda n: n / 1000), min_size=count, max_size=count)

    return st.builds(face, some(0, 1, 52), some(-1, 1, 3), some(-3, 3, 3), st.integers(1, 10**6).map(float))


def assert_same(got: StreamedFace, wanted: StreamedFace, *, score: float = 1e-3, place: bool = True) -> None:
    np.testing.assert_allclose(got.expression, wanted.expression, atol=score)
    np.testing.assert_allclose(got.angles_rad, wanted.angles_rad, atol=1e-4)
    np.testing.assert_allclose(got.place_dm, wanted.place_dm if place else np.zeros(3), atol=1e-3)
    np.testing.assert_allclose(got.gaze, wanted.gaze, atol=max(score, 1e-3))
    assert got.found


@settings(max_examples=25, deadline=None)
@given(faces())
def test_what_is_encoded_is_decoded(wanted: StreamedFace) -> None:
    assert_same(ifacialmocap.decode(ifacialmocap.encode(wanted)), wanted)
    assert_same(ifacialmocap.decode(ifacialmocap.encode(wanted, version=1)), wanted, score=0.0051 * 2)
    assert_same(vtubestudio.decode(vtubestudio.encode(wanted)), wanted)
    assert_same(livelink.decode(livelink.encode(wanted)), wanted, place=False)
    assert_same(vmc_decode_all(vmc.encode(wanted)), wanted, place=False)


@settings(max_examples=20, deadline=None)
@given(faces())
def test_openseeface_carries_pose_gaze_blinks_and_the_jaw(wanted: StreamedFace) -> None:
    got = openseeface.decode(openseeface.encode(wanted))
    np.testing.assert_allclose(got.angles_rad, wanted.angles_rad, atol=1e-3)
    np.testing.assert_allclose(got.place_dm, wanted.place_dm, atol=1e-3)
    np.testing.assert_allclose(got.gaze, wanted.gaze, atol=2e-3)
    blinks = [EXPRESSION_NAMES.index(name) for name in ("eyeBlinkLeft", "eyeBlinkRight", "jawOpen")]
    np.testing.assert_allclose(got.expression[blinks], wanted.expression[blinks], atol=1e-3)
    assert got.order == wanted.order


def test_times_and_missing_faces_are_carried() -> None:
    assert livelink.decode(livelink.encode(no_face(), frame=90, rate=60)).order == 1.5
    nobody = [livelink.encode(no_face()), vtubestudio.encode(no_face()), openseeface.encode(no_face())]
    found = [livelink.decode(nobody[0]), vtubestudio.decode(nobody[1]), openseeface.decode(nobody[2])]
    assert [each.found for each in (*found, vmc_decode_all(vmc.encode(no_face(2.0))))] == [False] * 4


def test_a_frame_of_the_ifacialmocap_app() -> None:
    """As its app sent it (vpuppr's notes): the eyes look to the person's left and down, by scores and by angles alike."""
    shapes = "eyeLookIn_R-54|eyeLookUp_R-0|eyeLookDown_L-16|eyeLookOut_R-0|eyeLookUp_L-0|eyeLookIn_L-0|eyeLookDown_R-16|"
    shapes += "eyeLookOut_L-44|jawOpen-2|mouthSmile_L-1|hapihapi-0|"
    bones = "=head#-1.6704091,-7.3032465,2.886358,0.084120944,0.03458406,-0.4721467|rightEye#5.3555145,19.067966,1.8478252|"
    got = ifacialmocap.decode((shapes + bones + "leftEye#5.5607924,15.616646,1.5515244|").encode())
    np.testing.assert_allclose(np.degrees(got.angles_rad), [-1.67, -7.3, 2.89], atol=0.01)
    np.testing.assert_allclose(got.place_dm, [0.841, 0.346, -4.721], atol=1e-3)
    angles_deg = [15.62, -5.56, 19.07, -5.36]
    np.testing.assert_allclose(np.degrees(np.arcsin(got.gaze)), angles_deg, atol=0.5)
    assert got.expression[JAW] == pytest.approx(0.02)


def test_a_frame_of_live_link_face() -> None:
    """Values as in the app's recordings, where the eyes look to the person's left and up."""
    values = dict.fromkeys(livelink.ORDER, 0.0) | {"eyeLookOutLeft": 0.503, "eyeLookInRight": 0.597, "eyeLookUpLeft": 0.381}
    eyes = [0.0, 0.0, 0.0, -0.36, -0.174, 0.062, -0.303, -0.174, 0.052]
    wire = bytes([6, 0, 0, 0, 36]) + b"0" * 36 + struct.pack("!i", 4) + b"face" + struct.pack("!IfII", 1, 0.5, 60, 1)
    got = livelink.decode(wire + struct.pack("!B61f", 61, *values.values(), *eyes))
    assert got.gaze[0] == pytest.approx(math.sin(0.36), abs=0.06)
    assert got.gaze[1] == pytest.approx(math.sin(0.174), abs=0.06)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=2000))
@pytest.mark.parametrize("name", DECODERS)
def test_noise_is_refused(name: str, data: bytes) -> None:
    assert_refused_or_decoded(name, data)


def assert_refused_or_decoded(name: str, data: bytes) -> None:
    try:
        got = DECODERS[name](data)
    except PacketError:
        return
    if got is not None:
        for values in (got.expression, got.angles_rad, got.place_dm, got.gaze):
            assert np.isfinite(values).all()
        assert got.expression.min() >= 0
        assert got.expression.max() <= 1


RIGHT = face([0.5] * 52, [0.1, 0.2, 0.3], [0.1, 0.2, 0.3], 5.0)
PACKETS = {
    "ifacialmocap": ifacialmocap.encode(RIGHT),
    "livelink": livelink.encode(RIGHT),
    "vtubestudio": vtubestudio.encode(RIGHT),
    "vmc": vmc.encode(RIGHT)[-1],
    "openseeface": openseeface.encode(RIGHT),
}


@settings(max_examples=50, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("name", DECODERS)
def test_damaged_packets_are_refused_or_in_range(name: str, data: st.DataObject) -> None:
    packet = bytearray(PACKETS[name])
    for _ in range(data.draw(st.integers(1, 4))):
        packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    assert_refused_or_decoded(
        name, bytes(packet[: data.draw(st.integers(0, len(packet)))] if data.draw(st.booleans()) else packet)
    )


@pytest.mark.parametrize("name", DECODERS)
def test_huge_packets_are_refused_at_once(name: str) -> None:
    with pytest.raises(PacketError):
        DECODERS[name](PACKETS[name] * 60 if name != "vmc" else b"/" * 65000)


@pytest.mark.parametrize(
    ("name", "packet", "words"),
    [
        ("ifacialmocap", b"jawOpen-2|", "head#"),
        ("ifacialmocap", b"x-1|=head#0,0,0,0,0,0|", "none of ARKit's"),
        ("ifacialmocap", b"jawOpen&nan|=head#0,0,0,0,0,0|", "not a number"),
        ("ifacialmocap", b"jawOpen&1e9|=head#0,0,0,0,0,0|", "out of range"),
        ("ifacialmocap", b"jawOpen&1|=head#0,0,0,0,0,1e9|", "out of range"),
        ("ifacialmocap", b"jawOpen&1|=head#0,0,0|", "3 numbers, 6 are wanted"),
        ("livelink", b"\x05", "version 6"),
        ("livelink", b"\x06\x7f\xff\xff\xff", "impossible length"),
        ("livelink", livelink.encode(RIGHT)[:-4], "bytes after the time"),
        ("vtubestudio", b"[1]", "FaceFound"),
        ("vtubestudio", b"[" * 9000, "JSON"),
        ("vtubestudio", json.dumps({"FaceFound": True, "BlendShapes": [{"k": "JawOpen", "v": True}]}).encode(), "not a number"),
        ("openseeface", b"x" * 1784, "1785"),
        ("vmc", b"/VMC/Ext/Blend/Val\0\0,s\0\0a\0\0\0", "other values"),
    ],
)
def test_refusals_say_what_was_wanted(name: str, packet: bytes, words: str) -> None:
    with pytest.raises(PacketError, match=words):
        DECODERS[name](packet)


def test_vmc_names_are_known_in_any_case_and_vmc_waits_for_the_end_of_a_frame() -> None:
    assembler = vmc.VmcAssembler()
    assert assembler.feed(vmc.osc("/VMC/Ext/Blend/Val", "JAWOPEN", 0.5).dgram) is None
    assert assembler.feed(vmc.osc("/VMC/Ext/Blend/Val", "Joy", 1.0).dgram) is None
    got = assembler.feed(vmc.osc("/VMC/Ext/Blend/Apply").dgram)
    assert got is not None
    assert got.expression[JAW] == 0.5
    assert all(len(packet) <= vmc.BUNDLE_BYTES for packet in vmc.encode(RIGHT))
