"""The PipeWire camera: needs no kernel module and no root, and is listed by programs that ask the desktop for cameras."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

from engine.resource import Resource
from engine.values import Picture
from vcam.pipewire.stream import CameraStream
from vcam.sinks.reopening import ReopeningSink, open_reopening

if TYPE_CHECKING:
    from vcam.build import Builder

RETRY_S = 2.0
LISTED_BY = "Firefox and other programs that ask the desktop for cameras list it."


def open_sink(builder: Builder, session: object, argument: str, *, required: bool) -> ReopeningSink:
    """The camera under the name that the settings give. Where there is no session of PipeWire it is waited for, or ``required``
    and DeviceError raised."""
    del session, argument
    output = builder.settings.output

    def open_camera() -> PipeWireCamera:
        return PipeWireCamera((output.width_px, output.height_px), output.fps, output.camera_name)

    return open_reopening(open_camera, builder, what="PipeWire camera", hint=LISTED_BY, retry_s=RETRY_S, required=required)


class PipeWireCamera(Resource):
    """``send`` takes RGB (height, width, 3); pictures are made ready only while a program takes them."""

    placeholders = True

    def __init__(self, size: tuple[int, int], fps: int, camera_name: str) -> None:
        """Raises DeviceError where there is no session of PipeWire."""
        self._stream = CameraStream(camera_name, size, fps)
        self.name = f"{camera_name} (PipeWire)"

    def send(self, picture: Picture) -> None:
        self._stream.send(lambda memory: cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_YUY2, memory))

    def watched(self) -> bool:
        return self._stream.streaming

    def close(self) -> None:
        self._stream.close()
