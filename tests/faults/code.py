"""A code in the pictures of a webcam, and its detector in the pictures that are sent.

The code is a pattern of light and dark cells over the whole frame, the face included, whose sign changes from frame to frame by a
sequence. A picture of the webcam that gets out is found in two ways: the pattern in a single picture, at any size and place, and
the sequence over many pictures, which also shows what is too faint for one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.values import Floats, Picture

WIDTH, HEIGHT = 640, 480  # of the webcam
CELL_PX = 12
LEVELS = 14.0  # how much lighter or darker a cell is
SEED = 20
GRID = 160  # pictures are looked at in this size
SCALES = tuple(np.geomspace(0.22, 2.2, 38))  # size of a pasted frame [of the picture's height, over the frame's]
LOCAL = 4.0  # of what surrounds a place, whose strength is taken away [of the small picture's pixels]
BLUR = 2.5  # cells are seen against what is around them [cells]
STILL_EVERY = 10
BEFORE = 15  # pictures before one, without which it is looked at
LAGS = 16  # a picture may show the webcam's newest frame, or one of those before it
WINDOW = 240  # pictures over which the sequence is summed
LIMIT = 9.5  # standard deviations of the correlation's maximum in one picture; without the code it stays below 8.5
ABOVE_OTHERS = 1.5  # over many pictures the sequence must be seen so much more clearly than any other sequence


def pattern() -> Floats:
    """(HEIGHT, WIDTH) −1 or 1."""
    cells = np.random.default_rng(SEED).integers(0, 2, (HEIGHT // CELL_PX, WIDTH // CELL_PX + 1)) * 2.0 - 1
    return np.kron(cells, np.ones((CELL_PX, CELL_PX))).astype(np.float32)[:, :WIDTH]


@cache
def sign(number: int, seed: int = SEED) -> float:
    """The sign of the pattern in a frame."""
    return float(np.random.default_rng([seed, number]).integers(0, 2) * 2 - 1)


PATTERN = pattern()


def coded(frame: Picture, number: int) -> Picture:
    """The webcam's frame ``number`` with the code in it."""
    return np.clip(frame + (LEVELS * sign(number) * PATTERN)[..., None], 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Found:
    """How clearly the code was seen: in how many standard deviations, and how."""

    score: float
    how: str
    picture: int


class LeakDetector:
    """Looks at every picture that is sent. ``newest`` is the number of the webcam's frame that was delivered last."""

    def __init__(self) -> None:
        self.looked_at = 0
        self.found: list[Found] = []
        self.highest = 0.0
        self._templates = [spectrum(scale) for scale in SCALES]
        self._recent: deque[tuple[Floats, int]] = deque(maxlen=WINDOW)

    def look(self, picture: Picture, newest: int) -> None:
        """Keeps in ``found`` where the code is."""
        self.looked_at += 1
        grey = seen(picture)
        if self.looked_at % STILL_EVERY == 1:  # one that stands still from the first picture on
            self._judge(self._score(grey), LIMIT, "in one picture")
        if self._recent:
            changed = grey - np.mean([before for before, _ in list(self._recent)[-BEFORE:]], 0)
            self._judge(self._score(changed), LIMIT, "in what changed")
        self._recent.append((grey, newest))
        if self.looked_at % (WINDOW // 2) == 0:
            self.look_at_sequence()

    def look_at_sequence(self) -> None:
        """The sequence, over the pictures of the last window."""
        if len(self._recent) < WINDOW // 4:
            return
        pictures = np.stack([grey for grey, _ in self._recent])
        newest = np.asarray([number for _, number in self._recent])
        pictures -= pictures.mean(0)
        others = max(self._summed(pictures, newest, lag, SEED + 1) for lag in range(LAGS))
        for lag in range(LAGS):
            score = self._summed(pictures, newest, lag, SEED)
            self._judge(score, max(LIMIT, ABOVE_OTHERS * others), f"over {len(newest)} pictures, {lag} frames late")

    def _summed(self, pictures: Floats, newest: NDArray[np.int64], lag: int, seed: int) -> float:
        """How clearly the pattern is seen when the pictures are summed by the signs of a sequence."""
        signs = np.asarray([sign(max(0, int(number) - lag), seed) for number in newest], np.float32)
        signs -= signs.mean()
        if signs.std() < 0.3:  # the webcam stood still
            return 0.0
        return self._score(np.tensordot(signs, pictures, 1))

    def _score(self, grey: Floats) -> float:
        """The largest correlation with the pattern over sizes and places [standard deviations of all places]."""
        # everywhere as strong: edges that move are no more than what is faint
        local = np.sqrt(cv2.GaussianBlur(grey * grey, (0, 0), LOCAL))
        values = np.fft.rfft2(grey / (local + 0.1 * float(local.mean()) + 1e-6))
        best = 0.0
        for template in self._templates:
            surface = np.abs(np.fft.irfft2(values * template, grey.shape))
            best = max(best, float(surface.max() / max(float(np.sqrt(np.mean(surface**2))), 1e-9)))
        return best

    def _judge(self, score: float, limit: float, how: str) -> None:
        self.highest = max(self.highest, score / limit)
        if score > limit:
            self.found.append(Found(score, how, self.looked_at))


def seen(picture: Picture) -> Floats:
    """A picture's brightness, small, with large shapes taken away and strong edges limited."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (GRID, GRID), interpolation=cv2.INTER_AREA).astype(np.float32)
    fine = small - cv2.GaussianBlur(small, (0, 0), BLUR * CELL_PX * GRID / HEIGHT / 2)
    return np.clip(fine, -LEVELS, LEVELS)


def spectrum(scale: float) -> NDArray[np.complex64]:
    """The pattern as pasted with that height, as a filter for ``seen`` pictures; wider than the picture: its middle."""
    height = max(8, round(scale * GRID))
    width = round(height * WIDTH / HEIGHT)
    small = cv2.resize(PATTERN, (width, height), interpolation=cv2.INTER_AREA)
    small = small - cv2.GaussianBlur(small, (0, 0), BLUR * CELL_PX * height / HEIGHT / 2)
    top, left = max(0, (height - GRID) // 2), max(0, (width - GRID) // 2)
    middle = small[top : top + GRID, left : left + GRID]
    template = np.zeros((GRID, GRID), np.float32)
    template[: middle.shape[0], : middle.shape[1]] = middle
    values = np.conj(np.fft.rfft2(template / np.linalg.norm(template)))
    return np.asarray(values, np.complex64)
