"""Which face of a frame is the driver's: the one that was followed before, not simply the nearest or the largest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.landmark_indices import STEADY_POINTS
from engine.track.regions import Region
from engine.values import Face, Floats

STRANGER_S = 3.0  # so long after the driver was last seen, somebody else may take over
CONTINUOUS_S = 0.3  # after a shorter gap a face in the same place is the same without a look at its shape

# All in sizes of the driver's region, which is about one and a half times the head's width.
REACH, REACH_PER_S = 0.6, 0.3  # how far a head gets: at once, and for every second that it was not seen
REACH_ALONE_PER_S = 4.0  # likewise, while nobody else is known
LARGEST_RATIO, LARGEST_RATIO_PER_S = 1.4, 0.2  # how much larger or smaller it becomes, likewise
SAME_RATIO = 1.2  # up to which a face elsewhere whose likeness decides nothing may be the same one
SIZE_COST = 1.5  # of a ratio of e, in the same units

# Root of the mean squared distance of two shapes of unit size. Frames of one person differ from the first by 0.035 (median) to
# 0.054 (the most of two clips), two people by 0.056 (median) and seldom by less than 0.031: likeness can rule out, not identify.
UNLIKE, LIKE = 0.075, 0.045
LEARNING = 0.05  # share of each frame in what is known of the driver's shape


@dataclass(frozen=True)
class Candidate:
    """A place where a face seems to be; ``look`` finds its landmarks, or None when there is no face after all."""

    region: Region
    look: Callable[[], Face | None]


class Place(NamedTuple):
    """Centre (2,) and size of a region, in longer sides of the picture."""

    centre: Floats
    size: float


class Follower:
    """Follows one person, the driver, and keeps an eye on where the others are.

    ``person`` counts the drivers: it rises when somebody takes over who does not look like the one before.
    """

    def __init__(self) -> None:
        self.person = 0
        self._driver: Place | None = None
        self._others: list[Place] = []
        self._shape: Floats | None = None  # the driver's, a running mean
        self._seen_s = 0.0  # when the driver was last seen

    def follow(self, candidates: Sequence[Candidate], picture_px: int, time_s: float) -> Face | None:
        """The driver's face among those of a frame whose longer side is ``picture_px``, taken at ``time_s``; None without it."""
        places = [_place(candidate.region, picture_px) for candidate in candidates]
        gone_s = max(0.0, time_s - self._seen_s)
        if self._driver is None or gone_s > STRANGER_S:
            order = sorted(range(len(places)), key=lambda index: -places[index].size)
        else:
            order = self._expected(places, gone_s)
        for index in order:
            face = candidates[index].look()
            if face is not None and self._is_driver(face, places[index], gone_s):
                self._saw(face, places, index, time_s, gone_s)
                return face
        return None

    def _expected(self, places: list[Place], gone_s: float) -> list[int]:
        """Where the driver may be: at a place that belongs to none of the others and that a head can have reached."""
        assert self._driver is not None  # noqa: S101 — the caller's condition
        tracks = [self._driver, *self._others]
        pairs = sorted((_distance(track, place), t, p) for t, track in enumerate(tracks) for p, place in enumerate(places))
        owner: dict[int, int] = {}  # of a place: the nearest track, each having one place only
        for distance, track, place in pairs:
            if place not in owner and track not in owner.values() and distance <= (REACH if track else np.inf):
                owner[place] = track
        for place, track in owner.items():
            if track:
                self._others[track - 1] = places[place]
        free = [place for place in range(len(places)) if owner.get(place, 0) == 0]
        per_s = REACH_PER_S if self._others else REACH_ALONE_PER_S
        return sorted((p for p in free if self._within(places[p], gone_s, per_s)), key=lambda p: _distance(tracks[0], places[p]))

    def _within(self, place: Place, gone_s: float, per_s: float) -> bool:
        """Whether the driver can have reached a place, at ``per_s`` sizes a second."""
        driver = self._driver
        assert driver is not None  # noqa: S101 — the caller's condition
        far = float(np.linalg.norm(place.centre - driver.centre)) / max(driver.size, place.size)
        return far <= REACH + per_s * gone_s and self._ratio(place) <= LARGEST_RATIO + LARGEST_RATIO_PER_S * gone_s

    def _ratio(self, place: Place) -> float:
        """Of the sizes of a place and the driver's, the larger to the smaller."""
        assert self._driver is not None  # noqa: S101 — the caller's condition
        return max(place.size / self._driver.size, self._driver.size / place.size)

    def _is_driver(self, face: Face, place: Place, gone_s: float) -> bool:
        if self._shape is None or gone_s > STRANGER_S:
            return True
        if gone_s <= CONTINUOUS_S and self._within(place, gone_s, REACH_PER_S):
            return True
        unlike = unlikeness(self._shape, shape(face))
        if LIKE < unlike <= UNLIKE:  # either may be: somebody of another size elsewhere counts as a stranger
            return self._within(place, gone_s, 0.0) or self._ratio(place) <= SAME_RATIO
        return unlike <= LIKE

    def _saw(self, face: Face, places: list[Place], index: int, time_s: float, gone_s: float) -> None:
        """Takes note of the driver, and of everybody else."""
        seen = shape(face)
        if self._shape is not None and gone_s > STRANGER_S and unlikeness(self._shape, seen) > LIKE:
            self.person += 1
            self._shape = None
        self._shape = (
            seen if self._shape is None else self._shape + np.float32(LEARNING) * (_turned(seen, self._shape) - self._shape)
        )
        self._driver, self._seen_s = places[index], time_s
        self._others = [place for number, place in enumerate(places) if number != index]


def shape(face: Face) -> Floats:
    """(N, 3) the steady landmarks around their middle, of unit size."""
    points = face.landmarks[list(STEADY_POINTS)] - face.landmarks[list(STEADY_POINTS)].mean(0)
    return np.asarray(points / max(float(np.sqrt((points**2).sum(1).mean())), 1e-6), np.float32)


def unlikeness(a: Floats, b: Floats) -> float:
    """How far two shapes are apart when one is turned onto the other."""
    return float(np.sqrt(((_turned(a, b) - b) ** 2).sum(1).mean()))


def _turned(a: Floats, b: Floats) -> Floats:
    """The shape a, turned onto b (Kabsch 1976)."""
    left, _, right = np.linalg.svd(a.T.astype(np.float64) @ b)
    left[:, 2] *= np.sign(np.linalg.det(left @ right))
    return np.asarray(a @ (left @ right), np.float32)


def _place(region: Region, picture_px: int) -> Place:
    return Place(np.asarray(region.centre, np.float32) / picture_px, float(region.size[0]) / picture_px)


def _distance(a: Place, b: Place) -> float:
    far = float(np.linalg.norm(a.centre - b.centre)) / max(a.size, b.size)
    return far + SIZE_COST * abs(float(np.log(a.size / b.size)))
