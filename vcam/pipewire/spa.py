"""The plain-data objects (POD) in which PipeWire describes formats and buffers, as bytes.

Layout: https://docs.pipewire.org/page_spa_pod.html; numbers: <spa/utils/type.h>, <spa/param/param.h>, <spa/param/format.h>,
<spa/param/buffers.h>, <spa/param/video/raw.h> and <spa/param/video/color.h>, the same since PipeWire 0.3.
"""

from __future__ import annotations

import struct

ALIGNMENT = 8  # bytes

# types of values
ID, INT, RECTANGLE, FRACTION, OBJECT, CHOICE = 3, 4, 10, 11, 15, 19
RANGE, FLAGS = 1, 4  # kinds of choice
FORMAT_OBJECT, BUFFERS_OBJECT = 0x40003, 0x40004

# parameters of a stream
ENUM_FORMAT, FORMAT, BUFFERS = 3, 4, 5

# keys and values of a format
MEDIA_TYPE, MEDIA_SUBTYPE = 1, 2
PIXEL_FORMAT, SIZE, FRAME_RATE, COLOUR_RANGE, COLOUR_MATRIX = 0x20001, 0x20003, 0x20004, 0x2000C, 0x2000D
VIDEO, RAW = 2, 1
YUY2, RANGE_16_235, BT601 = 4, 2, 4

# keys and values of buffers
BUFFER_COUNT, BLOCK_COUNT, BLOCK_BYTES, STRIDE_BYTES, MEMORY = 1, 2, 3, 4, 6
MEMORY_FILE = 1 << 2  # a bit of MEMORY: SPA_DATA_MemFd
BUFFER_RANGE = (8, 2, 64)  # GStreamer asks for at least eight


def pod(kind: int, body: bytes) -> bytes:
    """One value: size and type of its body, then that, filled up to a multiple of eight bytes."""
    return struct.pack("=II", len(body), kind) + body + bytes(-len(body) % ALIGNMENT)


def identifier(value: int) -> bytes:
    return pod(ID, struct.pack("=I", value))


def integer(value: int) -> bytes:
    return pod(INT, struct.pack("=i", value))


def rectangle(width: int, height: int) -> bytes:
    return pod(RECTANGLE, struct.pack("=II", width, height))


def fraction(numerator: int, denominator: int = 1) -> bytes:
    return pod(FRACTION, struct.pack("=II", numerator, denominator))


def choice(kind: int, *values: int) -> bytes:
    """A choice of integers: ``RANGE`` (preferred, least, most) or ``FLAGS`` (preferred, allowed bits)."""
    return pod(CHOICE, struct.pack(f"=4I{len(values)}i", kind, 0, 4, INT, *values))


def parameter(kind: int, number: int, values: dict[int, bytes]) -> bytes:
    """An object of type ``kind`` that is parameter ``number`` of a stream."""
    body = b"".join(struct.pack("=II", key, 0) + value for key, value in values.items())
    return pod(OBJECT, struct.pack("=II", kind, number) + body)


def yuy2_format(size: tuple[int, int], fps: int) -> bytes:
    """The only format that a stream offers: YUY2 pictures of ``size`` (width, height), BT.601, range 16–235."""
    values = {
        MEDIA_TYPE: identifier(VIDEO),
        MEDIA_SUBTYPE: identifier(RAW),
        PIXEL_FORMAT: identifier(YUY2),
        SIZE: rectangle(*size),
        FRAME_RATE: fraction(fps),
        COLOUR_RANGE: identifier(RANGE_16_235),
        COLOUR_MATRIX: identifier(BT601),
    }
    return parameter(FORMAT_OBJECT, ENUM_FORMAT, values)


def yuy2_buffers(size: tuple[int, int]) -> bytes:
    """Some buffers in shared memory, each of one picture; how many is the reader's choice."""
    width, height = size
    values = {
        BUFFER_COUNT: choice(RANGE, *BUFFER_RANGE),
        BLOCK_COUNT: integer(1),
        BLOCK_BYTES: integer(2 * width * height),
        STRIDE_BYTES: integer(2 * width),
        MEMORY: choice(FLAGS, MEMORY_FILE, MEMORY_FILE),
    }
    return parameter(BUFFERS_OBJECT, BUFFERS, values)
