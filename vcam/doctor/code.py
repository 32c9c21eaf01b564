"""Pictures that carry a number, so that whoever gets one can tell which it is, and colour patches, to see what became of them.

The upper two thirds hold 3 rows of 8 black or white blocks, most significant bit first: 16 bits of the number, 8 of check sum.
Blocks survive scaling, colour conversion and compression; a torn or foreign picture fails the check. Below lie the patches.
"""

from __future__ import annotations

import zlib

import numpy as np

from engine.values import Picture

ROWS, COLUMNS = 3, 8
NUMBERS = 1 << 16  # numbers go round after so many
PATCHES = np.array([(220, 30, 30), (30, 200, 30), (30, 30, 220), (128, 128, 128)], np.uint8)
SHARE = 2 / 3  # of the height, for the blocks


def write_code(picture: Picture, number: int) -> None:
    """Draws ``number`` (0…65535) into an RGB picture (height, width, 3), in place, over all of it."""
    height, width = picture.shape[:2]
    bits = np.unpackbits(np.array([number >> 8, number & 255, checksum(number)], np.uint8)).reshape(ROWS, COLUMNS)
    top = round(height * SHARE)
    rows = np.arange(top) * ROWS // top
    columns = np.arange(width) * COLUMNS // width
    picture[:top] = (255 * bits[rows][:, columns])[..., None]
    picture[top:] = PATCHES[np.arange(width) * len(PATCHES) // width]


def read_code(picture: Picture) -> int | None:
    """The number in an RGB picture of any size; None when there is none, or the picture is torn."""
    height, width = picture.shape[:2]
    y = ((np.arange(ROWS) + 0.5) * height * SHARE / ROWS).astype(int)
    x = ((np.arange(COLUMNS) + 0.5) * width / COLUMNS).astype(int)
    bits = picture[y][:, x].mean(2) > 127
    high, low, check = np.packbits(bits).tolist()
    number = int(high) << 8 | int(low)
    return number if check == checksum(number) else None


def colour_error(picture: Picture) -> int:
    """The largest departure of a channel from the patches that were drawn, 0…255."""
    height, width = picture.shape[:2]
    x = ((np.arange(len(PATCHES)) + 0.5) * width / len(PATCHES)).astype(int)
    seen = picture[int(height * (1 + SHARE) / 2), x].astype(int)
    return int(np.abs(seen - PATCHES).max())


def checksum(number: int) -> int:
    """8 bits that a flat picture does not have, and that differ between neighbours."""
    return zlib.crc32(number.to_bytes(2, "big")) & 255
