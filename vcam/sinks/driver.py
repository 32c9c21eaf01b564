"""How this system gets a virtual camera: the commands and steps that every message about a missing one names."""

from __future__ import annotations

import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from vcam import v4l2

INSTALLERS = {
    "apt": "sudo apt install v4l2loopback-dkms",
    "dnf": "sudo dnf install akmod-v4l2loopback",
    "pacman": "sudo pacman -S v4l2loopback-dkms",
    "zypper": "sudo zypper install v4l2loopback-kmp-default",
}
PIPEWIRE_INSTALLERS = {
    "apt": "sudo apt install libpipewire-0.3-0 pipewire wireplumber",
    "dnf": "sudo dnf install pipewire-libs pipewire wireplumber",
    "pacman": "sudo pacman -S libpipewire pipewire wireplumber",
    "zypper": "sudo zypper install libpipewire-0_3-0 pipewire wireplumber",
}
UNLOAD = "sudo modprobe -r v4l2loopback"
JOIN_VIDEO_GROUP = "sudo usermod -aG video $USER"


@dataclass(frozen=True)
class Host:
    """What decides about the command. ``system``: Linux, Windows or Darwin; ``installer``: a key of ``INSTALLERS``."""

    system: str
    installer: str
    module_installed: bool


def this_host() -> Host:
    """The machine at hand."""
    system = platform.system()
    installer = next((tool for tool in INSTALLERS if shutil.which(tool)), "apt")
    return Host(system, installer, system == "Linux" and module_installed())


def module_installed(modules: Path = Path("/lib/modules")) -> bool:
    """Whether the running kernel has the v4l2loopback module."""
    folder = modules / platform.release()
    return any(folder.glob("updates/**/v4l2loopback.ko*")) or any(folder.glob("**/v4l2loopback.ko*"))


def load_command(camera_name: str) -> str:
    """What loads v4l2loopback with a camera of that name; the inner quotes reach the module."""
    return f"""sudo modprobe v4l2loopback exclusive_caps=1 card_label='"{camera_name}"'"""


def create_command(camera_name: str, host: Host) -> str:
    """The shell command, or the steps, that make a virtual camera on that system."""
    if host.system == "Windows":
        return (
            "install Unity Capture (https://github.com/schellingb/UnityCapture) and register it under that name with "
            f'regsvr32 UnityCaptureFilter64.dll "/i:UnityCaptureName={camera_name}" — or install OBS Studio 28 or newer '
            "(its camera is always called 'OBS Virtual Camera')."
        )
    if host.system == "Darwin":
        return "install OBS Studio 30 or newer and start its virtual camera once (it is always called 'OBS Virtual Camera')."
    load = load_command(camera_name)
    return load if host.module_installed else f"{INSTALLERS[host.installer]} && {load}"


def absent_sentence(camera_name: str, devices: list[v4l2.Device]) -> str:
    """What is missing, and the exact command that creates it on this system."""
    create = create_command(camera_name, this_host())
    others = [device for device in devices if device.loopback]
    if others:
        names = ", ".join(f"{device.name!r} ({device.path})" for device in others)
        return (
            f"There is no virtual camera named {camera_name!r}, only {names}. Create it with: {UNLOAD} && {create}"
            " — or set output.camera_name to one of those."
        )
    return f"There is no virtual camera named {camera_name!r}. Create it with: {create}"
