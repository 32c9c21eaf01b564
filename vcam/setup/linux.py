"""The steps on Linux: v4l2loopback's camera at each start of the system, an entry in the menu, a service of the user's."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from engine.errors import DeviceError
from engine.process import user_folder
from vcam import v4l2
from vcam.setup.steps import SetupStep, remove_files, write_file
from vcam.sinks.driver import INSTALLERS, Host

PROGRAM, NAME = "hifihead", "hifihead-cam"
SERVICE = f"{NAME}.service"
AGREED = {"apt": "--yes", "dnf": "--assumeyes", "pacman": "--noconfirm", "zypper": "--no-confirm"}  # the user did, to all steps
MODULE = Path("/sys/module/v4l2loopback")

DESKTOP_ENTRY = """[Desktop Entry]
Type=Application
Name=HifiHead Cam
Comment=A portrait that moves as you do, as a camera for video calls
Exec={command}
Icon=camera-web
Terminal=true
Categories=AudioVideo;Video;
"""
UNIT = """[Unit]
Description=HifiHead Cam, a portrait as a camera
After=pipewire.service wireplumber.service

[Service]
ExecStart={command}
Restart=on-failure
RestartSec=5

[Install]
WantedBy=default.target
"""


@dataclass(frozen=True)
class Places:
    """Where files go.

    etc           the system's folder of settings
    data, config  the user's folders
    module        exists while v4l2loopback is loaded
    """

    etc: Path
    data: Path
    config: Path
    module: Path

    @property
    def options(self) -> Path:
        return self.etc / "modprobe.d" / f"{NAME}.conf"

    @property
    def loading(self) -> Path:
        return self.etc / "modules-load.d" / f"{NAME}.conf"

    @property
    def desktop_entry(self) -> Path:
        return self.data / "applications" / f"{NAME}.desktop"

    @property
    def unit(self) -> Path:
        return self.config / "systemd" / "user" / SERVICE


def this_places() -> Places:
    """Those of this machine and user."""
    home = Path.home()
    data = os.environ.get("XDG_DATA_HOME") or home / ".local" / "share"
    return Places(Path("/etc"), Path(data), Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config"), MODULE)


def run_command_line() -> list[str]:
    """How this installation is started, with absolute paths."""
    script = Path(sys.executable).parent / "hifihead"
    return [str(script), "run"] if script.is_file() else [sys.executable, "-m", "vcam", "run"]


def quoted(arguments: list[str], percent: str) -> str:
    """A command line as desktop entries and units take it: every argument in quotes, with ``%`` doubled."""
    escaped = (argument.replace("\\", "\\\\").replace('"', '\\"').replace("%", percent) for argument in arguments)
    return " ".join(f'"{argument}"' for argument in escaped)


def camera_steps(camera_name: str, host: Host, places: Places, devices: list[v4l2.Device]) -> list[SetupStep]:
    """v4l2loopback's camera, now and at each start of the system. Raises DeviceError where the module is set up otherwise."""
    refuse_other_options(places)
    quoted_name = camera_name.replace("\\", "\\\\").replace('"', '\\"')
    options = f'options v4l2loopback exclusive_caps=1 card_label="{quoted_name}"\n'
    steps: list[SetupStep] = []
    if not host.module_installed:
        command = (*INSTALLERS[host.installer].removeprefix("sudo ").split(), AGREED[host.installer])
        steps.append(SetupStep("Install the kernel module v4l2loopback", command, root=True))
    steps += write_file("Give the camera its name, and show it to browsers", places.options, options, root=True)
    steps += write_file("Make the camera at each start of the system", places.loading, "v4l2loopback\n", root=True)
    if any(device.loopback and device.name == camera_name for device in devices):
        return steps
    if places.module.is_dir():
        unload = ("modprobe", "-r", "v4l2loopback")
        steps.append(SetupStep("Unload the module; programs that use its cameras must be closed", unload, root=True))
    return [*steps, SetupStep("Make the camera", ("modprobe", "v4l2loopback"), root=True)]


def refuse_other_options(places: Places) -> None:
    """Raises DeviceError when another file sets options of the module: the kernel would get both."""
    for path in sorted((places.etc / "modprobe.d").glob("*.conf")):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path != places.options else []
        if any(line.split()[:2] == ["options", "v4l2loopback"] for line in lines):
            raise DeviceError(
                f"{path} sets options of v4l2loopback already; add this camera there (docs/clients.md), or remove the file. "
                "'hifihead setup --no-module' leaves the module alone."
            )


def menu_steps(places: Places) -> list[SetupStep]:
    """The entry in the desktop's menu of programs."""
    entry = DESKTOP_ENTRY.format(command=quoted(run_command_line(), "%%"))
    return write_file("Add HifiHead Cam to the menu of programs", places.desktop_entry, entry)


def service_steps(places: Places) -> list[SetupStep]:
    """The camera starts when the user logs in; the webcam stays off until somebody watches."""
    unit = UNIT.format(command=quoted(run_command_line(), "%%").replace("$", "$$"))
    steps = write_file("Describe the camera as a service of yours", places.unit, unit)
    if steps:
        steps.append(SetupStep("Let systemd read it", ("systemctl", "--user", "daemon-reload")))
    return [*steps, SetupStep("Start it now and whenever you log in", ("systemctl", "--user", "enable", "--now", SERVICE))]


def removal_steps(places: Places) -> list[SetupStep]:
    """Everything that ``setup`` and the program itself have put on this machine; the packages and your own settings stay."""
    steps: list[SetupStep] = []
    if places.unit.exists():
        steps.append(SetupStep("Stop the service", ("systemctl", "--user", "disable", "--now", SERVICE), optional=True))
    steps += remove_files("Remove the service and the entry in the menu", [places.unit, places.desktop_entry])
    logs = user_folder("log")
    own = [user_folder("cache"), user_folder("data"), logs.parent if logs.parent.name == PROGRAM else logs]
    own.append(user_folder("config") / "preview-address")
    steps += remove_files("Remove caches, log, resting faces, permissions and the preview's address", own)
    system = remove_files("Make the camera no longer at the system's start", [places.options, places.loading], root=True)
    steps += system
    if system and places.module.is_dir():
        unload = ("modprobe", "-r", "v4l2loopback")
        steps.append(
            SetupStep("Unload the module; it goes with the next start if a program uses it", unload, root=True, optional=True)
        )
    return steps


def missing_root() -> bool:
    """Whether nothing on this machine can give root to a command."""
    return shutil.which("sudo") is None
