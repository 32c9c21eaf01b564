"""The compositor for live use: one fused pass over the picture in numba, on threads of its own, allocating nothing per frame.

Threads of its own, for numba's parallel loops abort the process when two threads enter them, and spin between frames.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import cv2
import numba as nb
import numpy as np
from numpy.typing import NDArray

from engine.generator.cubic import lay_over, sample_cubic
from engine.generator.upsampling import POINTS, upsampled
from engine.generator.variants import STATE_CHANNELS
from engine.resource import Resource
from engine.sampling import cubic_weights
from engine.values import Floats, Picture

Index = np.unsignedinteger[Any]  # signed indices are slower: they might count from the end

STEPS = 128  # places per point of the foreground
PLACES = STEPS * POINTS  # per pixel
BEFORE, AFTER = 2, 3  # pixels by which the layers are continued, so that no tap of a place inside or beside them falls outside
WIDER = BEFORE + AFTER
WEIGHTS = cubic_weights(np.arange(STEPS, dtype=np.float32) / STEPS)
ACROSS, DOWN = WEIGHTS.repeat(4, 1).reshape(-1), WEIGHTS.reshape(-1)  # as ``lay_over`` wants them
FASTMATH = {"contract", "reassoc", "nsz", "arcp"}  # but NaN stays NaN: it must not become an index
NOBODY, EDGE, INSIDE = 0, 1, 2  # what the matte is here, to the right and below: 0, between, 1
ZERO, HALF, FULL = np.float32(0), np.float32(127.5), np.float32(255)


@nb.njit(nogil=True, fastmath=FASTMATH, cache=True)
def _enlarge_row(y: int, state: Floats, line: Floats, wide: Floats, held: NDArray[np.int64], row: Floats) -> None:
    """Row y of the state (6, R, R) bilinearly enlarged by a whole number → (6, S).

    ``wide`` (2, 6, S) and ``held`` (2,) keep the last two of its rows, enlarged along themselves, and which they are.
    """
    size = state.shape[1]
    factor = row.shape[1] // size
    before, share = _between(y % factor, factor)
    upper, lower = max(y // factor + before, 0), min(y // factor + before + 1, size - 1)
    for other in (upper, lower):
        if held[other % 2] != other:
            _widen(state[:, other], line, wide[other % 2])
            held[other % 2] = other
    above, below = wide[upper % 2], wide[lower % 2]
    for channel in range(state.shape[0]):
        for x in range(row.shape[1]):
            row[channel, x] = above[channel, x] + share * (below[channel, x] - above[channel, x])


@nb.njit(nogil=True, fastmath=FASTMATH, cache=True)
def _widen(narrow: Floats, line: Floats, wide: Floats) -> None:
    """(6, R) → (6, S), along the row."""
    size = narrow.shape[1]
    factor = wide.shape[1] // size
    for channel in range(narrow.shape[0]):
        for x in range(size):
            line[x + 1] = narrow[channel, x]
        line[0], line[size + 1] = line[1], line[size]
        for part in range(factor):
            before, share = _between(part, factor)
            for x in range(size):
                left = line[x + 1 + before]
                wide[channel, factor * x + part] = left + share * (line[x + 2 + before] - left)


@nb.njit(nogil=True, fastmath=FASTMATH, cache=True)
def _between(part: int, factor: int) -> tuple[int, np.float32]:
    """Where a point's part, one of ``factor``, lies: from the point before (−1) or from the point itself (0), and how far to the
    next one (0…1)."""
    place = (np.float32(part) + np.float32(0.5)) / np.float32(factor) - np.float32(0.5)
    return (-1, place + np.float32(1)) if place < 0 else (0, place)


@nb.njit(nogil=True, fastmath=FASTMATH, cache=True)
def _place_row(y: int, prior: Floats, row: Floats, places: NDArray[np.int32]) -> None:
    """Pixel + prior + f of row y → (2, S) places in the continued layers in 1/256 pixels, at most a pixel outside the picture."""
    size = places.shape[1]
    scale, low, high = np.float32(size * PLACES // 2), np.float32(PLACES * (BEFORE - 1)), np.float32(PLACES * (BEFORE + size))
    for x in range(size):
        u = scale * (prior[y, x, 0] + row[3, x]) + np.float32(PLACES * (x + BEFORE) + 0.5)
        v = scale * (prior[y, x, 1] + row[4, x]) + np.float32(PLACES * (y + BEFORE) + 0.5)
        u, v = u if u > low else low, v if v > low else low  # in this form NaN becomes ``low``
        places[0, x], places[1, x] = np.int32(min(u, high)), np.int32(min(v, high))


@nb.njit(nogil=True, fastmath=FASTMATH, cache=True)
def _linear(matte: Floats, x: Index, y: Index, stride: Index) -> np.float32:
    """The matte at a place."""
    at = y // PLACES * stride + x // PLACES
    one, share = nb.uintp(1), np.float32(1 / PLACES)
    across, down = np.float32(x % PLACES) * share, np.float32(y % PLACES) * share
    upper = matte[at] + across * (matte[at + one] - matte[at])
    lower = matte[at + stride] + across * (matte[at + stride + one] - matte[at + stride])
    return np.float32(upper + down * (lower - upper))


@nb.njit(nogil=True, fastmath=FASTMATH, cache=True)
def _picture_row(
    y: int, places: NDArray[np.int32], front: Picture, matte: Floats, across: Floats, down: Floats, plate: Picture,
    render: Picture, weight: Floats, picture: Floats,
) -> None:  # fmt: skip
    """P of one row → (3, S), in levels."""
    size, wide, row = nb.uintp(picture.shape[1]), nb.uintp(picture.shape[1] + WIDER), nb.uintp(y)
    points = wide * nb.uintp(POINTS)
    one, two, three, four = nb.uintp(1), nb.uintp(2), nb.uintp(3), nb.uintp(4)
    for x in range(size):  # type: ignore[call-overload]  # numba's stub takes uintp(…) for a signature
        behind = (row * size + x) * four  # type: ignore[operator]  # likewise
        u, v = nb.uintp(places[0, x]), nb.uintp(places[1, x])
        at = v // STEPS * points + u // STEPS
        person = front[at * four + three]
        if person != NOBODY:
            corner = (at - points - one) * four
            if person == INSIDE:
                r, g, b = sample_cubic(front, corner, points * four, across, u % STEPS, down, v % STEPS)
            else:
                share = _linear(matte, u, v, wide)
                r, g, b = lay_over(plate, behind, share, front, corner, points * four, across, u % STEPS, down, v % STEPS)
        else:
            r, g, b = np.float32(plate[behind]), np.float32(plate[behind + one]), np.float32(plate[behind + two])
        k = weight[y, x]
        if k > 0:
            r += k * (np.float32(render[y, x, 0]) - r)
            g += k * (np.float32(render[y, x, 1]) - g)
            b += k * (np.float32(render[y, x, 2]) - b)
        picture[0, x], picture[1, x], picture[2, x] = r, g, b


@nb.njit(nogil=True, fastmath=FASTMATH, cache=True)
def _blend_row(picture: Floats, row: Floats, mix: Floats, levels: NDArray[np.uint8], out: Picture) -> None:
    """out = (1 − s)·mix·P + c of one row, to uint8: channel by channel, which is what vectorises, then interleaved."""
    for channel in range(3):
        red, green, blue = mix[channel, 0], mix[channel, 1], mix[channel, 2]
        for x in range(picture.shape[1]):
            p = red * (picture[0, x] - HALF) + green * (picture[1, x] - HALF) + blue * (picture[2, x] - HALF)
            value = (np.float32(1) - row[5, x]) * p + HALF * row[channel, x] + np.float32(128)
            levels[channel, x] = np.uint8(min(max(value, ZERO), FULL))
    for x in range(picture.shape[1]):
        out[x, 0], out[x, 1], out[x, 2] = levels[0, x], levels[1, x], levels[2, x]


class _Scratch(NamedTuple):
    """One band's buffers: for ``_enlarge_row``; places, P, levels."""

    line: Floats
    wide: Floats
    held: NDArray[np.int64]
    row: Floats
    places: NDArray[np.int32]
    picture: Floats
    levels: NDArray[np.uint8]


@nb.njit(nogil=True, cache=True)
def _compose_rows(
    first: int, last: int, state: Floats, prior: Floats, front: Picture, matte: Floats, across: Floats, down: Floats,
    plate: Picture, render: Picture, weight: Floats, mix: Floats, scratch: _Scratch, out: Picture,
) -> None:  # fmt: skip
    """Rows first…last of the picture."""
    line, wide, held, row, places, picture, levels = scratch
    held[:] = -1
    for y in range(first, last):
        _enlarge_row(y, state, line, wide, held, row)
        _place_row(y, prior, row, places)
        _picture_row(y, places, front, matte, across, down, plate, render, weight, picture)
        _blend_row(picture, row, mix, levels, out[y])


@dataclass(frozen=True)
class PackedLayers:
    """The photograph's layers as the compositor reads them; W = S + 5, the border continued.

    front  (2W·2W·4,) uint8  ``upsampled``: RGB, and whether the pixel's matte is more than 0 here, to the right or below
    matte  (W·W,)            0…1
    plate  (S·S·4,) uint8    RGB, and nothing
    """

    front: Picture
    matte: Floats
    plate: Picture


def pack(foreground: Picture, matte: Floats, plate: Picture) -> PackedLayers:
    """Foreground (S, S, 3) uint8, matte (S, S) 0…1 and plate (S, S, 3) uint8."""
    alpha = np.pad(np.clip(matte, 0, 1).astype(np.float32), (BEFORE, AFTER), mode="edge")
    around = np.stack([alpha[:-1, :-1], alpha[1:, :-1], alpha[:-1, 1:], alpha[1:, 1:]])
    person = np.pad(np.where(around.max(0) == 0, NOBODY, np.where(around.min(0) == 1, INSIDE, EDGE)), (0, 1), mode="edge")
    front = np.empty((len(alpha) * POINTS, len(alpha) * POINTS, 4), np.uint8)
    front[..., 3] = person.repeat(POINTS, 0).repeat(POINTS, 1)
    empty = PackedLayers(front.reshape(-1), alpha.reshape(-1), np.empty(0, np.uint8))
    return recoloured(empty, foreground, plate)


def recoloured(packed: PackedLayers, foreground: Picture, plate: Picture) -> PackedLayers:
    """What ``pack`` gives for another foreground and plate and the same matte; fast."""
    before, after = BEFORE * POINTS, AFTER * POINTS
    wide = cv2.copyMakeBorder(upsampled(foreground), before, after, before, after, cv2.BORDER_REPLICATE)
    front = packed.front.copy().reshape(*wide.shape[:2], 4)
    cv2.mixChannels([wide], [front], [0, 0, 1, 1, 2, 2])
    behind = np.zeros((*plate.shape[:2], 4), np.uint8)
    cv2.mixChannels([plate], [behind], [0, 0, 1, 1, 2, 2])
    return PackedLayers(front.reshape(-1), packed.matte, behind.reshape(-1))


class Compositor(Resource):
    """Composes pictures of ``size`` pixels from states of as many points or a whole part of them, in so many bands at once."""

    def __init__(self, size: int, state_size: int, *, threads: int = 2) -> None:
        if size % state_size:
            raise ValueError(f"a picture of {size} pixels needs a state of as many points or a whole part, got {state_size}")
        self._bands = [
            (int(first), int(last), _scratch(size, state_size))
            for first, last in pairwise(np.linspace(0, size, threads + 1).astype(int))
        ]
        self._pool = ThreadPoolExecutor(threads - 1, "compositor") if threads > 1 else None
        self._out = np.zeros((size, size, 3), np.uint8)
        self._compile(size, state_size)

    def close(self) -> None:
        """Ends its threads; a second call does nothing."""
        if self._pool is not None:
            self._pool.shutdown()

    def _compile(self, size: int, state_size: int) -> None:
        """Compose nothing once: numba compiles (seconds, on the first start) or loads what it compiled before."""
        empty, flat = np.zeros((size, size, 3), np.uint8), np.zeros((size, size), np.float32)
        state, prior = np.zeros((STATE_CHANNELS, state_size, state_size), np.float32), np.zeros((size, size, 2), np.float32)
        packed = pack(empty, flat, empty)
        self.compose(state, prior, packed, render=empty, render_weight=flat, mix=np.eye(3, dtype=np.float32))

    def compose(
        self, state: Floats, prior: Floats, packed: PackedLayers, *, render: Picture, render_weight: Floats, mix: Floats
    ) -> Picture:
        """(S, S, 3) uint8, overwritten by the next call; the arguments are those of ``compose_reference.compose``."""

        def compose_band(first: int, last: int, scratch: _Scratch) -> None:
            _compose_rows(
                first, last, state, prior, packed.front, packed.matte, ACROSS, DOWN, packed.plate,
                render, render_weight, mix, scratch, self._out,
            )  # fmt: skip

        own, *others = self._bands
        running = [self._pool.submit(compose_band, *band) for band in others] if self._pool else []
        compose_band(*own)
        for band in running:
            band.result()
        return self._out


def _scratch(size: int, state_size: int) -> _Scratch:
    return _Scratch(
        np.zeros(state_size + 2, np.float32),
        np.zeros((2, STATE_CHANNELS, size), np.float32),
        np.zeros(2, np.int64),
        np.zeros((STATE_CHANNELS, size), np.float32),
        np.zeros((2, size), np.int32),
        np.zeros((3, size), np.float32),
        np.zeros((3, size), np.uint8),
    )
