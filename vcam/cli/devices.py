"""``hifihead devices``: webcams and virtual cameras, and their state."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from engine.errors import ConfigError
from vcam import v4l2
from vcam.config import OutputSettings
from vcam.config_file import default_path, read_settings
from vcam.messages import say_on_stderr
from vcam.sinks.driver import absent_sentence

PROBED_CAMERAS = 4  # where the system gives no list


@dataclass(frozen=True)
class Line:
    """One device as the user sees it; ``camera`` is the value for ``--camera``."""

    kind: str
    name: str
    place: str
    state: str
    camera: str = ""


def list_devices(*, as_json: bool) -> None:
    """Prints the devices; what is missing is told on standard error."""
    camera_name = wanted_name()
    found = v4l2.devices()
    lines = [line_of(device, camera_name) for device in found] if platform.system() == "Linux" else probed()
    if as_json:
        Console(soft_wrap=True, highlight=False).print(
            json.dumps({"devices": [asdict(line) for line in lines]}, indent=1), markup=False
        )
    else:
        Console().print(table(lines)) if lines else Console().print("No cameras.")
    if platform.system() == "Linux" and not any(line.kind == "virtual camera" and line.name == camera_name for line in lines):
        say_on_stderr(absent_sentence(camera_name, found))


def wanted_name() -> str:
    """The virtual camera's name, from the settings where they can be read."""
    path = default_path()
    try:
        return (read_settings(path).output if path else OutputSettings()).camera_name
    except ConfigError as error:
        say_on_stderr(str(error))
        return OutputSettings().camera_name


def table(lines: list[Line]) -> Table:
    """For people."""
    grid = Table("kind", "name", "place", "state", "--camera")
    for line in lines:
        grid.add_row(line.kind, line.name, line.place, line.state, line.camera)
    return grid


def line_of(device: v4l2.Device, camera_name: str) -> Line:
    """A Linux device: a virtual camera to send to, or a camera to read from."""
    ours = device.name == camera_name
    if ours or (device.loopback and not device.capture):
        return Line("virtual camera", device.name, str(device.path), virtual_state(device))
    kind = "camera" if device.capture else "other"
    return Line(kind, device.name, str(device.path), device.access, str(device.number) if device.capture else "")


def virtual_state(device: v4l2.Device) -> str:
    """Whether pictures can be sent to it."""
    if device.access != "ok":
        return device.access
    if device.stuck:
        return "ready (left over from the last program; made ready at the start)"
    return "ready" if device.output else "in use by another program"


def probed() -> list[Line]:
    """Cameras found by trying the first few numbers (Windows, macOS)."""
    from vcam.capture.webcam import WebcamFormat, open_device
    from vcam.clock import SystemClock
    from vcam.messages import Messages

    quiet = Messages(lambda _sentence: None, SystemClock())
    lines = []
    for number in range(PROBED_CAMERAS):
        device = quiet.attempt("probe", "Opening the camera", lambda number=number: open_device(number, WebcamFormat()))  # type: ignore[misc]
        if device is not None:
            lines.append(Line("camera", f"Camera {number}", str(number), "ok", str(number)))
            device.release()
    return lines
