"""A webcam, tracked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcam.cameras.webcam import Webcam, WebcamFormat, usable_cameras
from vcam.sources import AUTOMATIC
from vcam.sources.tracking import TrackedCamera

if TYPE_CHECKING:
    from vcam.build import Builder


def open_source(builder: Builder, argument: str) -> TrackedCamera:
    """Webcam number ``argument``, or with "auto" the first that there is, without our own virtual camera. It is opened when the
    source is started, and may be absent until then or later."""
    camera, own_camera = builder.settings.camera, builder.settings.output.camera_name

    def first() -> int | None:
        return next(iter(usable_cameras(own_camera)), None)

    webcam = Webcam(
        first if argument == AUTOMATIC else lambda: int(argument),
        WebcamFormat(camera.width_px, camera.height_px, camera.fps),
        clock=builder.clock,
        messages=builder.messages,
        stats=builder.stats,
        retry_s=camera.retry_s,
    )
    name = "webcam" if argument == AUTOMATIC else f"webcam {argument}"
    return builder.tracked(name, webcam, remembered_as=name)
