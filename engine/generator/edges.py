"""Edges at which one surface hides another: a picture shows one surface in each pixel, and so they would be stairs.

Where the flow jumps between two pixels, both are smoothed with their neighbours, the more the farther it jumps: at rest, where
nothing moves, no pixel changes, and an edge that comes into being does so gradually. ``edges_reference`` is the readable twin.
"""

from __future__ import annotations

import numba
import numpy as np

from engine.values import Floats, Picture

LEAST_PX, MOST_PX = 1.5, 3.0  # jumps of the flow between neighbours [px]: from here on pixels are smoothed, and fully
BLOCK = 32  # numbers that are looked at together, for most have no jump
ROOM = 32_768  # pixels that can be smoothed in one picture


class EdgeSmoother:
    """Smooths the edges of pictures of ``size`` pixels; allocates nothing per frame."""

    def __init__(self, size: int) -> None:
        self._jumps = np.empty(2 * size, np.float32)
        self._places = np.empty((ROOM, 2), np.int32)
        self._shares = np.empty(ROOM, np.float32)
        self._colours = np.empty((ROOM, 3), np.uint8)
        self.smooth(np.zeros((size, size, 3), np.uint8), np.zeros((size, size, 2), np.float32))  # compiles

    def smooth(self, picture: Picture, flow: Floats) -> None:
        """(S, S, 3), in place, by its flow (S, S, 2) [crop units]."""
        count = _find(flow, np.float32(LEAST_PX), np.float32(MOST_PX), self._jumps, self._places, self._shares)
        _smooth(picture, count, self._places, self._shares, self._colours)


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _find(flow, least, most, jumps, places, shares):  # type: ignore[no-untyped-def]
    """Places (y, x) of pixels beside a jump, and by what share they are smoothed; gives how many there are.

    ``jumps`` (2 S,) is scratch: of each number of a row, x and y in turn, how far its neighbours' differ most.
    """
    size, count, last = flow.shape[0], 0, 2 * flow.shape[1] - 2
    scale = np.float32(size) / np.float32(2)
    bound = least / scale
    rows = flow.reshape(size, -1)
    for y in range(1, size - 1):
        above, here, below = rows[y - 1], rows[y], rows[y + 1]
        for i in range(2, last):
            aside = max(abs(here[i + 2] - here[i]), abs(here[i] - here[i - 2]))
            jumps[i] = max(aside, max(abs(above[i] - here[i]), abs(below[i] - here[i])))  # noqa: PLW3301 - it is quicker
        for start in range(2, last, BLOCK):
            end = min(start + BLOCK, last)
            largest = np.float32(0)
            for i in range(start, end):
                largest = max(largest, jumps[i])
            if largest <= bound:
                continue
            for i in range(start, end, 2):
                jump = max(jumps[i], jumps[i + 1])
                if jump > bound and count < places.shape[0]:
                    places[count, 0], places[count, 1] = y, i // 2
                    shares[count] = min((jump * scale - least) / (most - least), np.float32(1))
                    count += 1
    return count


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _smooth(picture, count, places, shares, colours):  # type: ignore[no-untyped-def]
    """The tent filter, 1 2 1 both ways, at the places."""
    for k in range(count):
        y, x = places[k, 0], places[k, 1]
        for c in range(3):
            centre = np.float32(picture[y, x, c])
            beside = np.float32(picture[y, x - 1, c]) + np.float32(picture[y, x + 1, c])
            beside += np.float32(picture[y - 1, x, c]) + np.float32(picture[y + 1, x, c])
            corners = np.float32(picture[y - 1, x - 1, c]) + np.float32(picture[y - 1, x + 1, c])
            corners += np.float32(picture[y + 1, x - 1, c]) + np.float32(picture[y + 1, x + 1, c])
            tent = (np.float32(4) * centre + np.float32(2) * beside + corners) / np.float32(16)
            colours[k, c] = np.uint8(centre + shares[k] * (tent - centre) + np.float32(0.5))
    for k in range(count):
        y, x = places[k, 0], places[k, 1]
        for c in range(3):
            picture[y, x, c] = colours[k, c]
