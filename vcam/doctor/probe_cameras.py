"""Gathers the facts about video devices. None is made to deliver pictures, so no webcam's light goes on."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path

from engine.errors import DeviceError
from vcam import v4l2
from vcam.doctor.facts import CameraFacts, PipeWireState, VideoGroup, VideoNode
from vcam.pipewire import library
from vcam.processes import users_of

MODULE = Path("/sys/module/v4l2loopback")
EFI = Path("/sys/firmware/efi/efivars")
WINDOWS_CAMERAS = "Get-CimInstance Win32_PnPEntity | Where-Object PNPClass -in Camera,Image | ForEach-Object Name"
# DirectShow filters, as they are registered
WINDOWS_DRIVERS = {
    "Unity Capture": r"CLSID\{5C2CD55C-92AD-4999-8666-912BD3E70010}",
    "OBS Virtual Camera": r"CLSID\{A3FCE0F5-3493-419F-958A-ABA1250EC20B}",
}
OBS_ON_MAC = Path("/Applications/OBS.app")
TOOL_TIMEOUT_S = 30.0  # a cold disk takes its time to load libraries

RunTool = Callable[[list[str]], "subprocess.CompletedProcess[str] | None"]
"""Runs a command line and returns how it ended; None when there is no such program, or when it takes too long."""


def run_tool(command: list[str]) -> subprocess.CompletedProcess[str] | None:
    """The ``RunTool`` of this machine."""
    try:
        return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=TOOL_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None


def output_lines(answer: subprocess.CompletedProcess[str] | None) -> list[str] | None:
    """The trimmed, non-empty lines that a successful command wrote; None when it failed."""
    if answer is None or answer.returncode != 0:
        return None
    return [line.strip() for line in answer.stdout.splitlines() if line.strip()]


def camera_facts(camera_name: str, size: tuple[int, int]) -> CameraFacts:
    """The cameras of this machine; ``camera_name`` and ``size`` (width, height) [px] are those of the virtual camera."""
    system = platform.system()
    if system == "Linux":
        found = tuple(node_facts(device, camera_name, size) for device in v4l2.devices())
        return CameraFacts(found, video_group(), MODULE.is_dir(), exclusive_caps(), secure_boot(), pipewire_state())
    if system == "Darwin":
        drivers = ("OBS Virtual Camera",) if OBS_ON_MAC.is_dir() else ()
        return CameraFacts(listed=mac_cameras(), drivers=drivers)
    names = output_lines(run_tool(["powershell", "-NoProfile", "-Command", WINDOWS_CAMERAS]))
    return CameraFacts(listed=None if names is None else tuple(names), drivers=windows_drivers())


def node_facts(
    device: v4l2.Device,
    camera_name: str,
    size: tuple[int, int],
    *,
    sends: Callable[[Path], bool] = v4l2.sends,
    kept_format: Callable[[Path, tuple[int, int]], str] = v4l2.kept_format,
) -> VideoNode:
    """A device and who uses it; of the virtual camera also whether a program sends to it, and which format it keeps."""
    users, ours = users_of(device.path)
    if device.name != camera_name or not device.loopback or ours:
        return VideoNode(device, users, ours)
    sending = device.capture and not device.output and sends(device.path)
    return VideoNode(device, users, ours, sending, "" if sending else kept_format(device.path, size))


def video_group() -> VideoGroup:
    """Whether this user is in the group "video", and whether that holds already or only after the next login."""
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
    """Whether the firmware allows only signed kernel modules."""
    try:
        return any(path.read_bytes()[-1:] == b"\1" for path in variables.glob("SecureBoot-*"))
    except OSError:
        return False


def pipewire_state() -> PipeWireState:
    """Whether this user's programs find PipeWire."""
    try:
        library.load()
    except DeviceError:
        return "no library"
    return "session" if library.session_socket() else "no session"


def mac_cameras(run: RunTool = run_tool) -> tuple[str, ...] | None:
    """Names from macOS's system report: the lines "    Name:" under "Camera:"."""
    lines = output_lines(run(["system_profiler", "SPCameraDataType"]))
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
