"""Who is followed, with faces made of numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.track.following import LIKE, REACH, STRANGER_S, UNLIKE, Candidate, Follower, shape, unlikeness
from engine.track.regions import Region
from engine.values import Face, Floats

PICTURE_PX = 640
ONE, OTHER = (np.random.default_rng(seed).normal(size=(478, 3)).astype(np.float32) for seed in (1, 2))

Seen = tuple[Floats, float, float, float]  # shape, x, y, size [px]


def face(points: Floats, x: float, y: float, size: float) -> Face:
    landmarks = points / 6 * size + np.array([x, y, 0], np.float32)
    return Face(landmarks.astype(np.float32), np.zeros(52, np.float32), (PICTURE_PX, 480))


def candidates(*seen: Seen, factor: float = 1.0) -> list[Candidate]:
    found = []
    for points, *place in seen:
        x, y, size = (factor * value for value in place)
        region = Region(np.array([x, y], np.float32), np.full(2, size, np.float32), 0.0)
        found.append(Candidate(region, lambda points=points, x=x, y=y, size=size: face(points, x, y, size)))  # type: ignore[misc]
    return found


class Scene:
    """Frames at 30 a second; ``who`` is the x of the followed face, or None."""

    def __init__(self, factor: float = 1.0) -> None:
        self.follower, self._time_s, self._factor = Follower(), 100.0, factor

    def see(self, *seen: Seen, seconds: float = 1 / 30) -> float | None:
        for _ in range(max(1, round(seconds * 30))):
            self._time_s += 1 / 30
            found = self.follower.follow(candidates(*seen, factor=self._factor), round(PICTURE_PX * self._factor), self._time_s)
        return None if found is None else round(float(found.landmarks[:, 0].mean()) / self._factor)


def mean_x(points: Floats, x: float, size: float) -> int:
    return round(float(points[:, 0].mean()) / 6 * size + x)


ME, YOU = (ONE, 150.0, 200.0, 220.0), (OTHER, 450.0, 200.0, 110.0)
MY_X, YOUR_X = mean_x(ONE, 150, 220), mean_x(OTHER, 450, 110)


def test_the_largest_is_followed_first() -> None:
    assert Scene().see(YOU, ME) == MY_X


@pytest.mark.parametrize("your_size", [110, 160, 220, 300])
@pytest.mark.parametrize("your_x", [330, 450, 560])
def test_a_bystander_who_was_seen_never_takes_over_while_the_driver_is_covered(your_size: float, your_x: float) -> None:
    scene, you = Scene(), (OTHER, float(your_x), 200.0, float(your_size))
    scene.see(ME)
    assert scene.see(ME, you, seconds=1) == MY_X
    assert scene.see(you, seconds=STRANGER_S - 0.1) is None
    assert scene.see(you, ME) == MY_X
    assert scene.follower.person == 0


def test_a_bystander_may_walk_while_the_driver_is_covered() -> None:
    scene = Scene()
    scene.see(ME)
    for x in range(500, 100, -10):
        here = (OTHER, float(x), 200.0, 200.0)
        if x > 400:
            assert scene.see(ME, here) == MY_X
        else:
            assert scene.see(here) is None
    assert scene.see(ME, (OTHER, 300.0, 200.0, 200.0)) == MY_X


def test_a_stranger_takes_over_when_the_driver_has_been_gone_long_enough() -> None:
    scene = Scene()
    scene.see(ME, YOU)
    assert scene.see(YOU, seconds=STRANGER_S) is None
    assert scene.see(YOU, seconds=0.1) == YOUR_X
    assert scene.follower.person == 1
    assert scene.see(YOU, ME) == YOUR_X  # and stays


@pytest.mark.parametrize("away_s", [0.5, 2.9, 4.0, 60.0])
def test_who_comes_back_is_the_same(away_s: float) -> None:
    scene = Scene()
    scene.see(ME, seconds=1)
    assert scene.see(seconds=away_s) is None
    assert scene.see((ONE, 200.0, 220.0, 200.0)) is not None
    assert scene.follower.person == 0


def test_a_stranger_in_the_drivers_place_waits() -> None:
    scene = Scene()
    scene.see(ME, seconds=1)
    scene.see(seconds=1)
    assert scene.see((OTHER, 160.0, 200.0, 210.0), seconds=1) is None
    assert scene.see((OTHER, 160.0, 200.0, 210.0), seconds=2) is not None
    assert scene.follower.person == 1


def test_a_stranger_who_appears_elsewhere_at_once_waits() -> None:
    scene, elsewhere = Scene(), 150.0 + 220 * (REACH + 0.5)
    scene.see(ME, seconds=1)
    scene.see(seconds=0.2)
    assert scene.see((OTHER, elsewhere, 200.0, 220.0), seconds=1) is None
    assert scene.see((ONE, elsewhere, 200.0, 220.0)) is not None
    assert scene.follower.person == 0


def similar(share: float) -> Floats:
    """The shape of somebody who looks much like ONE."""
    return (ONE + share * OTHER).astype(np.float32)


FAR = 150.0 + 220 * (REACH + 0.5)


@pytest.mark.parametrize(("x", "size"), [(FAR, 170.0), (FAR, 280.0), (FAR + 60, 150.0)])
def test_somebody_similar_who_appears_elsewhere_and_of_another_size_waits(x: float, size: float) -> None:
    stranger = similar(0.065)
    assert LIKE < unlikeness(shape(face(ONE, 0, 0, 100)), shape(face(stranger, 0, 0, 100))) < UNLIKE
    scene = Scene()
    scene.see(ME, seconds=1)
    scene.see(seconds=0.5)
    assert scene.see((stranger, x, 200.0, size), seconds=STRANGER_S - 0.6) is None
    assert scene.see((stranger, x, 200.0, size), seconds=0.3) is not None
    assert scene.follower.person == 1


@pytest.mark.parametrize(("x", "size"), [(160.0, 210.0), (150.0, 280.0), (FAR, 220.0), (FAR, 200.0)])
def test_who_looks_similar_and_has_the_place_or_the_size_is_the_driver(x: float, size: float) -> None:
    scene = Scene()
    scene.see(ME, seconds=1)
    scene.see(seconds=0.5)
    assert scene.see((similar(0.065), x, 200.0, size)) is not None
    assert scene.follower.person == 0


def test_a_quick_head_is_kept() -> None:
    scene = Scene()
    scene.see(ME)
    for step in range(1, 6):
        x = 150.0 + step * REACH * 220 * 0.4
        assert scene.see((ONE, x, 200.0, 220.0 * 1.05**step), YOU) is not None


def test_a_place_without_a_face_is_passed_over() -> None:
    follower = Follower()
    empty = Candidate(Region(np.array([150, 200], np.float32), np.full(2, 400, np.float32), 0.0), lambda: None)
    assert follower.follow([empty, *candidates(ME)], PICTURE_PX, 1.0) is not None
    assert follower.follow([], PICTURE_PX, 1.1) is None


places = st.tuples(st.sampled_from([0, 1]), st.floats(50, 600), st.floats(50, 400), st.floats(40, 300))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.lists(places, max_size=3), max_size=8), st.sampled_from([0.25, 0.5, 3.0]))
def test_the_resolution_changes_nothing(frames: list[list[tuple[int, float, float, float]]], factor: float) -> None:
    usual, other = Scene(), Scene(factor)
    for frame in frames:
        seen = [((ONE, OTHER)[who], *place) for who, *place in frame]
        a, b = usual.see(*seen), other.see(*seen)  # type: ignore[arg-type]
        assert (a is None) == (b is None)
        assert a is None or abs(a - (b or 0)) <= 1


def test_likeness_does_not_see_size_place_or_turn() -> None:
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    a, b = face(ONE, 0, 0, 100), face((ONE @ turn).astype(np.float32), 300, 90, 260)
    assert unlikeness(shape(a), shape(b)) < 1e-3
    assert unlikeness(shape(a), shape(face(OTHER, 0, 0, 100))) > UNLIKE
