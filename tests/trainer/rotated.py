"""A clip as a telephone records it: lying on the side, with a note in the container of how to turn it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from engine.values import Picture

_MATRIX = {90: (0, 0x10000, -0x10000, 0), 270: (0, -0x10000, 0x10000, 0)}  # a, b, c, d of the track's matrix, 16.16
_TO_MATRIX = 44  # bytes from the name of the track's header to its matrix


def write_rotated_clip(path: Path, pictures: Sequence[Picture], turn: int = 90, fps: int = 25) -> None:
    """An MP4 that shows ``pictures`` (H, W, 3) when it is turned clockwise by ``turn`` degrees, as its header says."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=fps)
        height, width = pictures[0].shape[:2]
        stream.width, stream.height, stream.bit_rate = height, width, 8_000_000
        for picture in pictures:
            lying = np.ascontiguousarray(np.rot90(picture, turn // 90))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(lying, format="rgb24")))
        container.mux(stream.encode())
    content = bytearray(path.read_bytes())
    header = content.index(b"tkhd")
    a, b, c, d = _MATRIX[turn]
    struct.pack_into(">9i", content, header + _TO_MATRIX, a, b, 0, c, d, 0, 0, 0, 0x40000000)
    path.write_bytes(content)
