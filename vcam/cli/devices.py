"""``hifihead devices``: webcams and virtual cameras, and their state."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from engine.errors import ConfigError
from vcam import v4l2
from vcam.config import OutputSettings
from vcam.config_file import read_settings
from vcam.config_path import default_path
from vcam.messages import say_on_stderr
from vcam.pipewire.library import session_socket
from vcam.processes import users_of
from vcam.sinks.driver import absent_sentence

PROBED_CAMERAS = 4  # where the system gives no list


@dataclass(frozen=True)
class DeviceRow:
    """One device as it is printed; ``camera`` is the value for ``--camera``, "" when it is none."""

    kind: str
    name: str
    place: str
    state: str
    camera: str = ""


def list_devices(
    *,
    as_json: bool,
    system: str | None = None,
    find: Callable[[], list[v4l2.Device]] = v4l2.devices,
    session: Callable[[], Path | None] = session_socket,
) -> None:
    """Prints the devices; a missing virtual camera is reported on standard error. ``system``: this one when None."""
    linux = (system or platform.system()) == "Linux"
    camera_name = wanted_name()
    found = find()
    rows = [row_of(device, camera_name) for device in found] if linux else probed()
    if linux and session() is not None:
        rows.append(DeviceRow("virtual camera", camera_name, "PipeWire", "ready"))
    if as_json:
        text = json.dumps({"devices": [asdict(row) for row in rows]}, indent=1)
        Console(soft_wrap=True, highlight=False).print(text, markup=False)
    else:
        Console().print(table(rows) if rows else "No cameras.")
    if linux and not any(device.name == camera_name for device in found):
        say_on_stderr(absent_sentence(camera_name, found))


def wanted_name() -> str:
    """The virtual camera's name, from the settings where they can be read."""
    path = default_path()
    try:
        return (read_settings(path).output if path else OutputSettings()).camera_name
    except ConfigError as error:
        say_on_stderr(str(error))
        return OutputSettings().camera_name


def table(rows: list[DeviceRow]) -> Table:
    """The devices for people."""
    grid = Table("kind", "name", "place", "state", "--camera")
    for row in rows:
        grid.add_row(row.kind, row.name, row.place, row.state, row.camera)
    return grid


def row_of(device: v4l2.Device, camera_name: str) -> DeviceRow:
    """A Linux device: a virtual camera to send to, a camera to read from, or another."""
    ours = device.name == camera_name
    if ours or (device.loopback and not device.capture):
        return DeviceRow("virtual camera", device.name, str(device.path), virtual_state(device, users_of(device.path)))
    kind = "camera" if device.capture else "other"
    return DeviceRow(kind, device.name, str(device.path), device.access, str(device.number) if device.capture else "")


def virtual_state(device: v4l2.Device, opened: tuple[tuple[str, ...], bool]) -> str:
    """Whether pictures can be sent to it. ``opened``: who has it open, and whether HifiHead Cam is among them."""
    users, ours = opened
    if ours:
        return "HifiHead Cam is sending to it"
    if device.access != "ok":
        return device.access
    if device.stuck:
        return "ready (left over from the last program; made ready at the start)"
    return "ready" if device.output else f"in use by {', '.join(users) or 'another program'}"


def probed() -> list[DeviceRow]:
    """The cameras found by opening the first few numbers (Windows, macOS)."""
    from vcam.cameras.webcam import WebcamFormat, open_device
    from vcam.clock import SystemClock
    from vcam.messages import Messages

    quiet = Messages(lambda _sentence: None, SystemClock())
    rows = []
    for number in range(PROBED_CAMERAS):
        device = quiet.attempt("probe", "Opening the camera", lambda number=number: open_device(number, WebcamFormat()))  # type: ignore[misc]
        if device is not None:
            rows.append(DeviceRow("camera", f"Camera {number}", str(number), "ok", str(number)))
            device.release()
    return rows
