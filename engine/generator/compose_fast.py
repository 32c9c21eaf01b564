"""The compositor for live use: one fused pass over the picture in numba, on threads of its own, allocating nothing per frame.

Threads of its own, for numba's parallel loops abort the process when two threads enter them, and spin between frames.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numba as nb
import numpy as np
from numpy.typing import NDArray

from engine.generator.variants import STATE_CHANNELS
from engine.values import Floats, Picture

Layers = NDArray[np.uint64]  # (S, S) RGB and matte, 16 bits each, of which 8 are used
FASTMATH = {"contract", "reassoc", "nsz", "arcp"}  # but NaN stays NaN: it must not become an index


@nb.njit(nogil=True, fastmath=FASTMATH, cache=True)
def _enlarge_row(y: int, state: Floats, left: NDArray[np.int32], shares: Floats, line: Floats, row: Floats) -> None:
    """Row y of the state (6, R, R), bilinearly enlarged → (6, S)."""
    upper, lower, share = left[y], min(left[y] + 1, state.shape[1] - 1), shares[y]
    for channel in range(row.shape[0]):
        for x in range(state.shape[2]):
            line[x] = state[channel, upper, x] + share * (state[channel, lower, x] - state[channel, upper, x])
        line[state.shape[2]] = line[state.shape[2] - 1]
        for x in range(row.shape[1]):
            row[channel, x] = line[left[x]] + shares[x] * (line[left[x] + 1] - line[left[x]])


@nb.njit(nogil=True, fastmath=FASTMATH, cache=True)
def _place_row(y: int, prior: Floats, row: Floats, places: NDArray[np.int32]) -> None:
    """Pixel + prior + f of row y → (2, S) places in the layers, in 1/256 pixels, inside the picture."""
    size = places.shape[1]
    scale, last = np.float32(size * 128), np.int32(256 * (size - 1))
    for x in range(size):
        u = np.int32(scale * (prior[y, x, 0] + row[3, x]) + np.float32(256 * x + 0.5))
        v = np.int32(scale * (prior[y, x, 1] + row[4, x]) + np.float32(256 * y + 0.5))
        places[0, x], places[1, x] = min(max(u, np.int32(0)), last), min(max(v, np.int32(0)), last)


@nb.njit(nogil=True, cache=True)
def _warp_row(layers: Layers, places: NDArray[np.int32], warped: Layers) -> None:
    """The layers at one row's places: all four channels of a pixel at once, 16 bits each, result in 1/256 levels."""
    size = layers.shape[0]
    for x in range(size):
        i, j = min(places[0, x] >> 8, size - 2), min(places[1, x] >> 8, size - 2)
        fu, fv = places[0, x] - (i << 8), places[1, x] - (j << 8)
        both = (fu * fv) >> 8  # the four weights add up to 256, so that no channel overflows into the next
        a, b = layers[j, i] * np.uint64(256 - fu - fv + both), layers[j, i + 1] * np.uint64(fu - both)
        c, d = layers[j + 1, i] * np.uint64(fv - both), layers[j + 1, i + 1] * np.uint64(both)
        warped[x] = a + b + c + d


@nb.njit(nogil=True, fastmath=FASTMATH, cache=True)
def _blend_row(
    y: int, warped: NDArray[np.uint16], row: Floats, plate: Picture, render: Picture, weight: Floats, mix: Floats, out: Picture
) -> None:
    """P of one row, then out = (1 − s)·mix·P + c, to uint8."""
    for x in range(plate.shape[1]):
        a, k, keep = np.float32(warped[x, 3]) * np.float32(1 / 65280), weight[y, x], np.float32(1) - row[5, x]
        r = _prior_level(warped[x, 0], plate[y, x, 0], render[y, x, 0], a, k)
        g = _prior_level(warped[x, 1], plate[y, x, 1], render[y, x, 1], a, k)
        b = _prior_level(warped[x, 2], plate[y, x, 2], render[y, x, 2], a, k)
        for channel in range(3):
            p = mix[channel, 0] * r + mix[channel, 1] * g + mix[channel, 2] * b
            value = (keep * p + row[channel, x] + np.float32(1)) * np.float32(127.5) + np.float32(0.5)
            out[y, x, channel] = np.uint8(min(max(value, np.float32(0)), np.float32(255)))


@nb.njit(nogil=True, fastmath=FASTMATH, cache=True)
def _prior_level(warped: np.uint16, plate: np.uint8, render: np.uint8, a: np.float32, k: np.float32) -> np.float32:
    """One channel of P, −1…1."""
    behind = np.float32(plate)
    p = behind + a * (np.float32(warped) * np.float32(1 / 256) - behind)
    return np.float32((p + k * (np.float32(render) - p)) * np.float32(1 / 127.5) - np.float32(1))


@nb.njit(nogil=True, cache=True)
def _compose_rows(
    first: int, last: int, state: Floats, prior: Floats, layers: Layers, plate: Picture, render: Picture, weight: Floats,
    mix: Floats, left: NDArray[np.int32], shares: Floats, row: Floats, line: Floats, places: NDArray[np.int32],
    warped: Layers, out: Picture,
) -> None:  # fmt: skip
    """Rows first…last of the picture."""
    channels = warped.view(np.uint16).reshape(-1, 4)
    for y in range(first, last):
        _enlarge_row(y, state, left, shares, line, row)
        _place_row(y, prior, row, places)
        _warp_row(layers, places, warped)
        _blend_row(y, channels, row, plate, render, weight, mix, out)


@dataclass(frozen=True)
class PackedLayers:
    """The photograph's layers as the compositor reads them: ``front`` foreground and matte, ``plate`` (S, S, 3) uint8."""

    front: Layers
    plate: Picture


def pack(foreground: Picture, matte: Floats, plate: Picture) -> PackedLayers:
    """Foreground (S, S, 3) uint8, matte (S, S) 0…1 and plate (S, S, 3) uint8; the matte is kept in 255 steps."""
    alpha = np.rint(np.clip(matte, 0, 1) * 255).astype(np.uint8)
    channels = np.dstack([foreground, alpha]).astype(np.uint16)
    return PackedLayers(channels.view(np.uint64)[..., 0], np.ascontiguousarray(plate))


class Compositor:
    """Composes pictures of ``size`` pixels from states of ``state_size`` points; ``threads`` bands run at once."""

    def __init__(self, size: int, state_size: int, *, threads: int = 2) -> None:
        place = np.clip((np.arange(size, dtype=np.float32) + 0.5) * (state_size / size) - 0.5, 0, state_size - 1)
        self._left = place.astype(np.int32)
        self._shares = (place - self._left).astype(np.float32)
        self._bands = [
            (int(first), int(last), *self._scratch(size, state_size))
            for first, last in pairwise(np.linspace(0, size, threads + 1).astype(int))
        ]
        self._pool = ThreadPoolExecutor(threads, "compositor") if threads > 1 else None
        self._out = np.zeros((size, size, 3), np.uint8)
        self._compile(size, state_size)

    def _compile(self, size: int, state_size: int) -> None:
        """Compose nothing once: numba compiles (seconds, on the first start) or loads what it compiled before."""
        empty, flat = np.zeros((size, size, 3), np.uint8), np.zeros((size, size), np.float32)
        state, prior = np.zeros((STATE_CHANNELS, state_size, state_size), np.float32), np.zeros((size, size, 2), np.float32)
        packed = pack(empty, flat, empty)
        self.compose(state, prior, packed, render=empty, render_weight=flat, mix=np.eye(3, dtype=np.float32))

    @staticmethod
    def _scratch(size: int, state_size: int) -> tuple[Floats, Floats, NDArray[np.int32], Layers]:
        """One band's buffers: a row of the state, a row before it is enlarged, places, warped layers."""
        row, line = np.zeros((STATE_CHANNELS, size), np.float32), np.zeros(state_size + 1, np.float32)
        return row, line, np.zeros((2, size), np.int32), np.zeros(size, np.uint64)

    def compose(
        self, state: Floats, prior: Floats, packed: PackedLayers, *, render: Picture, render_weight: Floats, mix: Floats
    ) -> Picture:
        """(S, S, 3) uint8, overwritten by the next call; the arguments are those of ``compose_reference.compose``."""

        def compose_band(band: tuple[int, int, Floats, Floats, NDArray[np.int32], Layers]) -> None:
            first, last, row, line, places, warped = band
            _compose_rows(
                first, last, state, prior, packed.front, packed.plate, render, render_weight, mix,
                self._left, self._shares, row, line, places, warped, self._out,
            )  # fmt: skip

        if self._pool is None:
            compose_band(self._bands[0])
        else:
            for _ in self._pool.map(compose_band, self._bands):
                pass
        return self._out
