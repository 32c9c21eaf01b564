"""The virtual camera that meeting programs list. The only place that knows pyvirtualcam."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyvirtualcam

from engine.errors import DeviceError
from engine.values import Picture
from vcam import v4l2

FindDevices = Callable[[], list[v4l2.Device]]


class VirtualCamera:
    """The camera named ``camera_name``; raises DeviceError that says how to get one. ``send`` takes RGB (height, width, 3)."""

    def __init__(
        self,
        size: tuple[int, int],
        fps: int,
        camera_name: str,
        *,
        find: FindDevices = v4l2.devices,
        rearm: Callable[[Path], bool] = v4l2.rearm,
        open_with: Callable[..., Any] = pyvirtualcam.Camera,
    ) -> None:
        target = linux_target(camera_name, find, rearm) if platform.system() == "Linux" else None
        backends: list[tuple[str | None, str | None]] = [(None, target)] if target else other_targets(camera_name)
        self._camera = open_first(backends, size, fps, open_with)
        self.name = f"{camera_name if target else self._camera.device} ({self._camera.device})"
        self.device = str(self._camera.device)

    def send(self, picture: Picture) -> None:
        try:
            self._camera.send(picture)
        except (RuntimeError, OSError) as error:
            raise DeviceError(f"The virtual camera {self.name} takes no more pictures ({error}).") from error

    def close(self) -> None:
        self._camera.close()


def linux_target(camera_name: str, find: FindDevices, rearm: Callable[[Path], bool]) -> str:
    """The device file of the virtual camera, made ready when it was stuck; raises DeviceError."""
    devices = find()
    device = next((device for device in devices if device.name == camera_name), None)
    if device is None:
        raise DeviceError(absent_sentence(camera_name, devices))
    if device.access == "no permission":
        raise DeviceError(
            f"No permission for the virtual camera {device.path}; run: sudo usermod -aG video $USER, and log in again."
        )
    if device.access == "ok" and not device.loopback:
        raise DeviceError(f"{device.path} is called {camera_name!r} but is no v4l2loopback device; rename one of the two.")
    if (device.stuck and not rearm(device.path)) or device.access == "busy" or (device.capture and not device.output):
        raise DeviceError(
            f"The virtual camera {device.path} ({camera_name}) is in use by another program that sends to it; close that first."
        )
    return str(device.path)


def absent_sentence(camera_name: str, devices: list[v4l2.Device]) -> str:
    """What is missing, and the exact command that creates it on this system."""
    others = [device for device in devices if device.loopback]
    if others:
        names = ", ".join(f"{device.name!r} ({device.path})" for device in others)
        return (
            f"There is no virtual camera named {camera_name!r}, only {names}. Create it with: sudo modprobe -r v4l2loopback && "
            f"{create_command(camera_name)} — or set output.camera_name to one of those."
        )
    return f"There is no virtual camera named {camera_name!r}. Create it with: {create_command(camera_name)}"


def create_command(camera_name: str) -> str:
    """The shell command, or the steps, that make a virtual camera on this system."""
    system = platform.system()
    if system == "Windows":
        return (
            "install Unity Capture (https://github.com/schellingb/UnityCapture) and register it under that name with "
            f'regsvr32 UnityCaptureFilter64.dll "/i:UnityCaptureName={camera_name}" — or install OBS Studio 28 or newer '
            "(its camera is always called 'OBS Virtual Camera')."
        )
    if system == "Darwin":
        return "install OBS Studio 30 or newer and start its virtual camera once (it is always called 'OBS Virtual Camera')."
    load = f"""sudo modprobe v4l2loopback exclusive_caps=1 card_label='"{camera_name}"'"""
    return load if module_installed() else f"{install_command()} && {load}"


INSTALLERS = {
    "apt": "sudo apt install v4l2loopback-dkms",
    "dnf": "sudo dnf install akmod-v4l2loopback",
    "pacman": "sudo pacman -S v4l2loopback-dkms",
    "zypper": "sudo zypper install v4l2loopback-kmp-default",
}


def install_command() -> str:
    """How this Linux installs the v4l2loopback module."""
    return next((command for tool, command in INSTALLERS.items() if shutil.which(tool)), INSTALLERS["apt"])


def module_installed(modules: Path = Path("/lib/modules")) -> bool:
    """Whether the running kernel has the v4l2loopback module."""
    folder = modules / platform.release()
    return any(folder.glob("updates/**/v4l2loopback.ko*")) or any(folder.glob("**/v4l2loopback.ko*"))


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
        except (RuntimeError, KeyError, OSError) as error:  # noqa: PERF203 — two targets at most
            reasons.append(f"{backend or device}: {error}")
    hint = "" if platform.system() == "Linux" else f" To get one: {create_command('HifiHead Cam')}"
    raise DeviceError(f"The virtual camera cannot be opened ({'; '.join(reasons)}).{hint}")
