"""Frames for the loop test: each carries its number, so that the reader can tell which one arrived, and patches of known colours.

The upper two thirds hold 3 rows of 8 black or white blocks, most significant bit first: 16 bits of the number, 8 of checksum.
Blocks survive scaling, colour conversion and compression; a torn or foreign picture fails the checksum. Below lie the patches.
"""

from __future__ import annotations

import platform
import zlib
from typing import Any

import cv2
import numpy as np

from engine.errors import DeviceError
from engine.values import Picture
from vcam.cameras.webcam import APIS

ROWS, COLUMNS = 3, 8
NUMBERS = 1 << 16  # after so many frames the numbers start again
PATCHES = np.array([(220, 30, 30), (30, 200, 30), (30, 30, 220), (128, 128, 128)], np.uint8)
BLOCKS_SHARE = 2 / 3  # of the height
TRIED_CAMERAS = 8  # where the system does not tell which camera is ours
TRIED_FRAMES = 20  # until one of ours must have come


def write_code(picture: Picture, number: int) -> None:
    """Fills an RGB picture (height, width, 3) with the code of ``number`` (0…65535) and the patches, in place."""
    height, width = picture.shape[:2]
    bits = np.unpackbits(np.array([number >> 8, number & 255, checksum(number)], np.uint8)).reshape(ROWS, COLUMNS)
    top = round(height * BLOCKS_SHARE)
    rows = np.arange(top) * ROWS // top
    columns = np.arange(width) * COLUMNS // width
    picture[:top] = (255 * bits[rows][:, columns])[..., None]
    picture[top:] = PATCHES[np.arange(width) * len(PATCHES) // width]


def read_code(picture: Picture) -> int | None:
    """The number in an RGB picture (height, width, 3) of any size; None when it carries none, or is torn."""
    height, width = picture.shape[:2]
    y = ((np.arange(ROWS) + 0.5) * height * BLOCKS_SHARE / ROWS).astype(int)
    x = ((np.arange(COLUMNS) + 0.5) * width / COLUMNS).astype(int)
    bits = picture[y][:, x].mean(2) > 127
    high, low, check = np.packbits(bits).tolist()
    number = int(high) << 8 | int(low)
    return number if check == checksum(number) else None


def colour_error(picture: Picture) -> int:
    """The largest difference of any channel from the patches as they were drawn, 0…255."""
    height, width = picture.shape[:2]
    x = ((np.arange(len(PATCHES)) + 0.5) * width / len(PATCHES)).astype(int)
    seen = picture[int(height * (1 + BLOCKS_SHARE) / 2), x].astype(int)
    return int(np.abs(seen - PATCHES).max())


def checksum(number: int) -> int:
    """8 bits that no flat picture has, and that differ between consecutive numbers."""
    return zlib.crc32(number.to_bytes(2, "big")) & 255


class CameraReader:
    """Reads camera ``number`` through OpenCV; raises DeviceError when it cannot be opened."""

    def __init__(self, number: int) -> None:
        self._device: Any = cv2.VideoCapture(number, APIS.get(platform.system(), cv2.CAP_ANY))
        if not self._device.isOpened():
            raise DeviceError(f"Camera {number} cannot be opened for reading, though pictures are sent to it.")
        self._device.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def read(self) -> Picture | None:
        ok, picture = self._device.read()
        return np.asarray(picture[..., ::-1], np.uint8) if ok else None

    def close(self) -> None:
        self._device.release()


def open_camera_reader(device: str) -> CameraReader:
    """The camera that frames are sent to: /dev/videoN by its number; elsewhere each camera is tried, which switches it on."""
    if device.startswith("/dev/video"):
        return CameraReader(int(device.removeprefix("/dev/video")))
    for number in range(TRIED_CAMERAS):
        try:
            reader = CameraReader(number)
        except DeviceError:
            continue
        if any(
            picture is not None and read_code(picture) is not None for picture in (reader.read() for _ in range(TRIED_FRAMES))
        ):
            return reader
        reader.close()
    raise DeviceError(f"None of the first {TRIED_CAMERAS} cameras shows what is sent to {device}.")
