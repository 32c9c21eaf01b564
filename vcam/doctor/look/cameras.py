"""Facts about video devices. Devices are asked what they are; none is made to deliver pictures, so no light goes on."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path

from vcam import v4l2
from vcam.doctor.look.command import Ask, ask, lines_of
from vcam.doctor.system import CameraFacts, Node, VideoGroup
from vcam.sinks.readers import open_files

MODULE = Path("/sys/module/v4l2loopback")
EFI = Path("/sys/firmware/efi/efivars")
PROCESSES = Path("/proc")
WINDOWS_CAMERAS = "Get-CimInstance Win32_PnPEntity | Where-Object PNPClass -in Camera,Image | ForEach-Object Name"
# DirectShow filters, as they are registered
WINDOWS_DRIVERS = {
    "Unity Capture": r"CLSID\{5C2CD55C-92AD-4999-8666-912BD3E70010}",
    "OBS Virtual Camera": r"CLSID\{A3FCE0F5-3493-419F-958A-ABA1250EC20B}",
}
OBS_ON_MAC = Path("/Applications/OBS.app")


def camera_facts(camera_name: str, size: tuple[int, int]) -> CameraFacts:
    """This machine's cameras; ``camera_name`` and ``size`` are what the virtual camera shall be."""
    system = platform.system()
    if system == "Linux":
        found = tuple(node(device, camera_name, size) for device in v4l2.devices())
        return CameraFacts(found, video_group(), MODULE.is_dir(), exclusive_caps(), secure_boot())
    if system == "Darwin":
        drivers = ("OBS Virtual Camera",) if OBS_ON_MAC.is_dir() else ()
        return CameraFacts(listed=mac_cameras(), drivers=drivers)
    names = lines_of(ask(["powershell", "-NoProfile", "-Command", WINDOWS_CAMERAS]))
    return CameraFacts(listed=None if names is None else tuple(names), drivers=windows_drivers())


def node(device: v4l2.Device, camera_name: str, size: tuple[int, int]) -> Node:
    """A device, with who uses it; of the virtual camera also whether it is being sent to, and which format it keeps."""
    users, ours = users_of(device.path)
    if device.name != camera_name or not device.loopback or ours:
        return Node(device, users, ours)
    sending = device.capture and not device.output and v4l2.sends(device.path)
    return Node(device, users, ours, sending, "" if sending else v4l2.kept_format(device.path, size))


def users_of(device: Path, processes: Path = PROCESSES) -> tuple[tuple[str, ...], bool]:
    """(programs that have a device open, as "name (number)", whether one is HifiHead Cam), of those that we may look at."""
    users, ours = [], False
    for process in sorted(processes.glob("[0-9]*"), key=lambda path: int(path.name)):
        if process.name == str(os.getpid()) or str(device) not in open_files(process / "fd"):
            continue
        with contextlib.suppress(OSError):
            arguments = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            users.append(f"{(process / 'comm').read_text(errors='replace').strip()} ({process.name})")
            ours = ours or is_ours(arguments)
    return tuple(users), ours


def is_ours(arguments: list[str]) -> bool:
    """Whether a command line is ``hifihead run``."""
    program = any(Path(argument).name in ("hifihead", "vcam") for argument in arguments[:4])
    return program and "run" in arguments


def video_group() -> VideoGroup:
    """Whether this user is in the group that owns cameras, and this session knows it."""
    import grp  # not on Windows
    import pwd

    try:
        group = grp.getgrnam("video")
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return "no"
    if os.getuid() == 0 or group.gr_gid in os.getgroups():
        return "member"
    return "after login" if user in group.gr_mem else "no"


def exclusive_caps(module: Path = MODULE) -> bool:
    """Whether the module gives any of its devices ``exclusive_caps``, e.g. "Y,N,N,N,N,N,N,N"."""
    try:
        return "Y" in (module / "parameters" / "exclusive_caps").read_text(encoding="ascii")
    except OSError:
        return False


def secure_boot(variables: Path = EFI) -> bool:
    """Whether the firmware lets only signed modules be loaded."""
    try:
        return any(path.read_bytes()[-1:] == b"\1" for path in variables.glob("SecureBoot-*"))
    except OSError:
        return False


def mac_cameras(ask: Ask = ask) -> tuple[str, ...] | None:
    """Names from macOS's system report: the lines "    Name:" under "Camera:"."""
    lines = lines_of(ask(["system_profiler", "SPCameraDataType"]))
    return None if lines is None else tuple(line[:-1] for line in lines if line.endswith(":") and line != "Camera:")


def windows_drivers() -> tuple[str, ...]:
    """The virtual cameras that are registered on Windows; empty elsewhere."""
    try:
        import winreg  # only on Windows
    except ImportError:
        return ()
    registry, found = vars(winreg), []
    for name, key in WINDOWS_DRIVERS.items():
        with contextlib.suppress(OSError):
            registry["OpenKey"](registry["HKEY_CLASSES_ROOT"], key).Close()
            found.append(name)
    return tuple(found)
