"""Reading the virtual camera as a meeting program does, through OpenCV."""

from __future__ import annotations

import platform
from typing import Any

import cv2
import numpy as np

from engine.errors import DeviceError
from engine.values import Picture
from vcam.capture.webcam import APIS
from vcam.doctor.code import read_code

TRIED = 8  # cameras, where the system does not tell which one is ours
LOOKS = 20  # pictures until one of ours must have come


class CameraReader:
    """Camera number N; raises DeviceError when it cannot be opened."""

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


def open_reader(device: str) -> CameraReader:
    """The camera that pictures are being sent to: /dev/videoN by its number; elsewhere each camera is tried, and so lights up."""
    if device.startswith("/dev/video"):
        return CameraReader(int(device.removeprefix("/dev/video")))
    for number in range(TRIED):
        try:
            reader = CameraReader(number)
        except DeviceError:
            continue
        if any(picture is not None and read_code(picture) is not None for picture in (reader.read() for _ in range(LOOKS))):
            return reader
        reader.close()
    raise DeviceError(f"None of the first {TRIED} cameras shows what is sent to {device}.")
