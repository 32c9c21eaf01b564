"""The virtual camera that meeting programs list. The only place that knows pyvirtualcam."""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyvirtualcam

from engine.errors import DeviceError
from engine.resource import Resource
from engine.values import Picture
from vcam import v4l2
from vcam.processes import users_of
from vcam.sinks.driver import JOIN_VIDEO_GROUP, absent_sentence, create_command, this_host
from vcam.sinks.readers import Readers
from vcam.sinks.reopening import ReopeningSink, open_reopening

if TYPE_CHECKING:
    from vcam.build import Builder

FindDevices = Callable[[], list[v4l2.Device]]
FindUsers = Callable[[Path], tuple[tuple[str, ...], bool]]
RETRY_S = 5.0


def open_sink(builder: Builder, session: object, argument: str, *, required: bool) -> ReopeningSink:
    """The virtual camera that the settings name. When it is missing it is waited for, or ``required`` and DeviceError raised."""
    del session, argument
    output = builder.settings.output

    def open_camera() -> VirtualCamera:
        return VirtualCamera((output.width_px, output.height_px), output.fps, output.camera_name)

    return open_reopening(open_camera, builder, what="virtual camera", retry_s=RETRY_S, required=required)


class VirtualCamera(Resource):
    """The camera named ``camera_name``; raises DeviceError that says how to get one. ``send`` takes RGB (height, width, 3)."""

    placeholders = True

    def __init__(
        self,
        size: tuple[int, int],
        fps: int,
        camera_name: str,
        *,
        find: FindDevices = v4l2.devices,
        rearm: Callable[[Path], bool] = v4l2.rearm,
        sends: Callable[[Path], bool] = v4l2.sends,
        users: FindUsers = users_of,
        kept_format: Callable[[Path, tuple[int, int]], str] = v4l2.kept_format,
        open_with: Callable[..., Any] = pyvirtualcam.Camera,
        watch: Callable[[Path], Readers] = Readers,
    ) -> None:
        target = linux_target(camera_name, find, rearm, sends, users) if platform.system() == "Linux" else None
        kept = kept_format(Path(target), size) if target else ""
        if kept:
            raise DeviceError(
                f"The virtual camera {target} insists on {kept}, wanted {size[0]}x{size[1]}, because a program reads it. "
                "Close that program; 'hifihead doctor' names it."
            )
        backends: list[tuple[str | None, str | None]] = [(None, target)] if target else other_targets(camera_name)
        self._camera = open_first(backends, size, fps, open_with)
        self.name = f"{camera_name if target else self._camera.device} ({self._camera.device})"
        self.device = str(self._camera.device)
        self._readers = watch(Path(target)) if target else None

    def send(self, picture: Picture) -> None:
        try:
            self._camera.send(picture)
        except (RuntimeError, OSError) as error:
            raise DeviceError(f"The virtual camera {self.name} takes no more pictures ({error}).") from error

    def watched(self) -> bool:
        """Known on Linux only; elsewhere somebody may always read."""
        return self._readers is None or self._readers.any()

    def close(self) -> None:
        if self._readers is not None:
            self._readers.close()
        self._camera.close()


def linux_target(
    camera_name: str, find: FindDevices, rearm: Callable[[Path], bool], sends: Callable[[Path], bool], users: FindUsers
) -> str:
    """The device file of the virtual camera, made ready when it was stuck; raises DeviceError."""
    devices = find()
    device = next((device for device in devices if device.name == camera_name), None)
    if device is None:
        raise DeviceError(absent_sentence(camera_name, devices))
    if device.access == "no permission":
        raise DeviceError(f"No permission for the virtual camera {device.path}; run: {JOIN_VIDEO_GROUP}, and log in again.")
    if device.access == "ok" and not device.loopback:
        raise DeviceError(f"{device.path} is called {camera_name!r} but is no v4l2loopback device; rename one of the two.")
    closed = device.loopback and not device.output  # also while a meeting only goes on reading after the sender has gone
    if device.access == "busy" or (device.capture and closed and sends(device.path)) or (closed and not rearm(device.path)):
        sender = "HifiHead Cam, which runs already and" if users(device.path)[1] else "another program that"
        raise DeviceError(
            f"The virtual camera {device.path} ({camera_name}) is in use by {sender} sends to it; close that first."
        )
    return str(device.path)


def other_targets(camera_name: str) -> list[tuple[str | None, str | None]]:
    """(backend, device) to try in turn on Windows and macOS."""
    if platform.system() == "Windows":
        return [("unitycapture", camera_name), ("obs", None)]
    return [("obs", None)]


def open_first(
    targets: list[tuple[str | None, str | None]], size: tuple[int, int], fps: int, open_with: Callable[..., Any]
) -> Any:
    """The first target that opens; raises one DeviceError with every reason."""
    reasons = []
    for backend, device in targets:
        try:
            return open_with(*size, fps, fmt=pyvirtualcam.PixelFormat.RGB, device=device, backend=backend)
        except (RuntimeError, KeyError, OSError) as error:
            reasons.append(f"{backend or device}: {error}")
    hint = "" if platform.system() == "Linux" else f" To get one: {create_command('HifiHead Cam', this_host())}"
    raise DeviceError(f"The virtual camera cannot be opened ({'; '.join(reasons)}).{hint}")
