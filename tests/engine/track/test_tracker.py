"""The tracker: OpenVINO's answers against mediapipe's own, and which face is followed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Literal

import cv2
import numpy as np
import pytest

from engine.errors import AssetError
from engine.portrait import Portrait
from engine.runtime import openvino_backend
from engine.track import Tracker
from engine.track.face_networks import FaceNetworks
from engine.track.mediapipe_models import Landmarker
from engine.track.tracker import MODEL, OwnGraph, open_networks
from engine.values import Face, Floats, Picture

FRAME = (480, 640)  # height, width
EQUAL, SCORES_EQUAL = 2e-3, 0.02  # of the face's height; of a score
DEPTH_EQUAL = 0.04  # of the face's height: mediapipe stretches a tilted face's depth when the picture is wider than high


@pytest.fixture(scope="module")
def networks() -> FaceNetworks:
    found = open_networks()
    assert found is not None
    return found


@pytest.fixture(scope="module")
def landmarker() -> Landmarker:
    return Landmarker("picture", MODEL)


def frame(*faces: tuple[Picture, int, int], tilt_degrees: float = 0) -> Picture:
    """A grey camera frame; each face a square crop, its side and its left edge [px]."""
    out = np.full((*FRAME, 3), 128, np.uint8)
    for crop, side, left in faces:
        turn = cv2.getRotationMatrix2D((256, 256), tilt_degrees, 1)
        turned = cv2.warpAffine(crop, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
        out[40 : 40 + side, left : left + side] = cv2.resize(turned, (side, side), interpolation=cv2.INTER_AREA)
    return out


def assert_equal(got: Face, wanted: Face) -> None:
    height = float(np.ptp(wanted.landmarks[:, 1]))
    difference = np.abs(got.landmarks - wanted.landmarks) / height
    assert difference[:, :2].max() < EQUAL
    assert difference[:, 2].max() < DEPTH_EQUAL
    assert np.abs(got.blendshapes - wanted.blendshapes).max() < SCORES_EQUAL
    assert got.size == wanted.size


@pytest.mark.parametrize("name", ["mona", "hopper"])
@pytest.mark.parametrize("tilt_degrees", [0, 25])
def test_openvino_finds_what_mediapipe_finds(
    name: str, tilt_degrees: float, networks: FaceNetworks, landmarker: Landmarker, request: pytest.FixtureRequest
) -> None:
    portrait: Portrait = request.getfixturevalue(name)
    image = frame((portrait.crop, 400, 120), tilt_degrees=tilt_degrees)
    (wanted,), (got,) = landmarker.find_all(image), networks.find_all(image)
    assert_equal(got, wanted)


def test_so_it_does_of_a_whole_photograph(networks: FaceNetworks, landmarker: Landmarker, hopper_photo: Picture) -> None:
    (wanted,), (got,) = landmarker.find_all(hopper_photo), networks.find_all(hopper_photo)
    assert_equal(got, wanted)


def test_so_it_does_of_two_people(networks: FaceNetworks, landmarker: Landmarker, mona: Portrait, hopper: Portrait) -> None:
    image = frame((mona.crop, 320, 0), (hopper.crop, 300, 330))
    wanted, got = (sorted(way.find_all(image), key=centre) for way in (landmarker, networks))
    assert len(wanted) == len(got) == 2
    for one, other in zip(got, wanted, strict=True):
        assert_equal(one, other)


def test_without_a_face_there_is_none(networks: FaceNetworks) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (*FRAME, 3), np.uint8)
    for image in (frame(), noise):
        assert networks.find_all(image) == []
        assert all(candidate.look() is None for candidate in networks.candidates(image, 0.0))


def centre(face: Face) -> float:
    return float(face.landmarks[:, 0].mean())


@pytest.fixture(params=["openvino", "mediapipe"])
def tracker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tracker]:
    """A tracker of frames; also as it is on a machine without OpenVINO."""
    if request.param == "mediapipe":
        monkeypatch.setitem(sys.modules, "engine.runtime.openvino_backend", None)
        monkeypatch.delattr("engine.runtime.openvino_backend", raising=False)
    with Tracker("video") as tracker:
        assert type(tracker._finder) is (FaceNetworks if request.param == "openvino" else OwnGraph)
        yield tracker


def test_one_face_is_followed_and_found_again(tracker: Tracker, mona: Portrait, hopper: Portrait) -> None:
    followed = tracker.track(frame((mona.crop, 250, 10), (hopper.crop, 330, 300)), 0.0)
    assert followed is not None
    assert centre(followed) > 300  # the larger one
    still = tracker.track(frame((mona.crop, 340, 0), (hopper.crop, 280, 350)), 0.1)
    assert still is not None
    assert centre(still) > 300  # the same, though smaller now
    assert tracker.track(frame(), 0.2) is None
    again = tracker.track(frame((mona.crop, 330, 0), (hopper.crop, 270, 350)), 0.3)
    assert again is not None
    assert centre(again) > 300
    for time_s in (0.4, 1.0, 2.0, 3.2):
        assert tracker.track(frame((mona.crop, 330, 0)), time_s) is None  # only somebody else is there
    assert tracker.person == 0
    other = tracker.track(frame((mona.crop, 330, 0)), 3.4)
    assert other is not None
    assert centre(other) < 300
    assert tracker.person == 1


def test_everybody_in_a_frame_is_known(tracker: Tracker, mona: Portrait, hopper: Portrait) -> None:
    image = frame((mona.crop, 220, 0), (hopper.crop, 200, 215), (mona.crop, 200, 425))
    for number in range(3):
        found = [candidate.look() for candidate in tracker._finder.candidates(image, number / 30)]
    assert sorted(round(centre(face) / 215) for face in found if face is not None) == [0, 1, 2]


@pytest.mark.parametrize(("mine", "others"), [(300, 150), (250, 250), (200, 280)])
def test_a_covered_driver_is_waited_for(mine: int, others: int, mona: Portrait, hopper: Portrait, tracker: Tracker) -> None:
    """The driver, on the left, is covered for half a second; a bystander of another size stays in view."""
    assert tracker.track(frame((mona.crop, mine, 0)), 0.0) is not None
    for number in range(1, 40):
        covered = 15 <= number < 30
        faces = [(hopper.crop, others, 330)] if covered else [(mona.crop, mine, 0), (hopper.crop, others, 330)]
        face = tracker.track(frame(*faces), number / 30)
        assert (face is None) == covered, number
        assert face is None or centre(face) < 300
    assert tracker.person == 0


def test_a_change_of_resolution_changes_nobody(tracker: Tracker, mona: Portrait, hopper: Portrait) -> None:
    image = frame((mona.crop, 280, 0), (hopper.crop, 300, 330))
    for number, size in enumerate([(640, 480), (320, 240), (1280, 960), (640, 480)]):
        face = tracker.track(np.asarray(cv2.resize(image, size), np.uint8), number / 30)
        assert face is not None
        assert centre(face) > size[0] / 2
        assert face.size == size


class Scripted:
    """A session that answers the same whatever it is asked."""

    engine = ""

    def __init__(self, session: openvino_backend.OpenVinoSession, value: float) -> None:
        self.inputs: Mapping[str, tuple[int, ...]] = session.inputs
        self._session, self._value, self.closed = session, value, False

    def run(self, feeds: Mapping[str, Floats]) -> dict[str, Floats]:
        return {name: np.full_like(answer, self._value) for name, answer in self._session.run(feeds).items()}

    def close(self) -> None:
        self.closed = True
        self._session.close()

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_networks_that_do_not_know_a_face_are_not_used(value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    open_lite = openvino_backend.open_lite
    opened: list[Scripted] = []

    def scripted(content: bytes, shape: tuple[int, ...]) -> Scripted:
        opened.append(Scripted(open_lite(content, shape), value))
        return opened[-1]

    monkeypatch.setattr(openvino_backend, "open_lite", scripted)
    assert open_networks() is None
    assert [session.closed for session in opened] == [True] * 3


def test_when_one_network_does_not_open_the_others_are_closed() -> None:
    opened: list[Scripted] = []

    def open_network(content: bytes, shape: tuple[int, ...]) -> Scripted:
        if len(opened) == 2:
            raise AssetError("cannot compile it")
        opened.append(Scripted(openvino_backend.open_lite(content, shape), 0.0))
        return opened[-1]

    with pytest.raises(AssetError, match="cannot compile it"):
        FaceNetworks(MODEL, open_network)
    assert [session.closed for session in opened] == [True] * 2


@pytest.mark.parametrize("mode", ["video", "picture"])
def test_a_tracker_may_be_closed_twice(mode: Literal["video", "picture"]) -> None:
    with Tracker(mode) as tracker:
        pass
    tracker.close()
