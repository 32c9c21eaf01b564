"""A webcam, tracked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcam.cameras.webcam import Webcam, WebcamFormat
from vcam.sources.tracking import TrackedCamera

if TYPE_CHECKING:
    from vcam.build import Builder


def open_source(builder: Builder, argument: str) -> TrackedCamera:
    """Webcam number ``argument``; it is opened when the source is started, and may be absent until then or later."""
    camera = builder.settings.camera
    webcam = Webcam(
        int(argument),
        WebcamFormat(camera.width_px, camera.height_px, camera.fps),
        clock=builder.clock,
        messages=builder.messages,
        stats=builder.stats,
        retry_s=camera.retry_s,
    )
    return builder.tracked(f"webcam {argument}", webcam)
