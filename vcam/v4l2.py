"""What Linux tells about its video devices (Video4Linux 2), and the cure of a v4l2loopback device that is stuck."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SYSTEM_LIST = Path("/sys/class/video4linux")
LOOPBACK_DRIVER = "v4l2 loopback"

# <linux/videodev2.h>: _IOR('V', 0, struct v4l2_capability), _IOW('V', 18, int), _IOWR('V', 64, struct v4l2_format), and the
# device_caps bits
QUERYCAP = 0x80685600
STREAMON = 0x40045612
TRY_FORMAT = 0xC0D05640
FORMAT = struct.Struct("I4x3I188x")  # struct v4l2_format: type, width, height, fourcc
CAPABILITY = struct.Struct("16s32s32sIII12x")
BUFFER_TYPE_OUTPUT = 2
SENT_FORMAT = b"YU12"  # I420, what pyvirtualcam sends
LARGEST_PICTURE_BYTES = 3840 * 2160 * 4
CAPTURE, OUTPUT, MEMORY_TO_MEMORY = 0x1, 0x2, 0x8000 | 0x4000

Access = Literal["ok", "no permission", "busy", "absent"]
Ioctl = Callable[[int, int, bytes], bytes]


@dataclass(frozen=True)
class Device:
    """One /dev/video node. ``capture`` and ``output`` say what it offers now; both False when it cannot be asked."""

    path: Path
    name: str
    access: Access
    driver: str = ""
    capture: bool = False
    output: bool = False

    @property
    def number(self) -> int:
        return int(self.path.name.removeprefix("video"))

    @property
    def loopback(self) -> bool:
        return self.driver == LOOPBACK_DRIVER

    @property
    def stuck(self) -> bool:
        """A loopback device that offers neither side: v4l2loopback 0.12 after its writer has gone."""
        return self.loopback and not self.capture and not self.output


def devices(system_list: Path = SYSTEM_LIST, dev: Path = Path("/dev")) -> list[Device]:
    """Every video device by number; empty on other systems."""
    if not sys.platform.startswith("linux") or not system_list.is_dir():
        return []
    entries = [entry for entry in system_list.iterdir() if entry.name.removeprefix("video").isdigit()]
    entries.sort(key=lambda entry: int(entry.name.removeprefix("video")))
    return [inspect(dev / entry.name, label(entry)) for entry in entries]


def label(entry: Path) -> str:
    """The device's name as programs list it."""
    try:
        return (entry / "name").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def inspect(path: Path, name: str) -> Device:
    """Asks the device what it is; never raises."""
    try:
        driver, capabilities = query(path)
    except PermissionError:
        return Device(path, name, "no permission")
    except FileNotFoundError:
        return Device(path, name, "absent")
    except OSError:
        return Device(path, name, "busy")
    capture = bool(capabilities & CAPTURE)
    return Device(path, name, "ok", driver, capture, bool(capabilities & OUTPUT))


def system_ioctl(descriptor: int, request: int, argument: bytes) -> bytes:
    import fcntl  # not on Windows

    return fcntl.ioctl(descriptor, request, argument)


def query(path: Path, ioctl: Ioctl = system_ioctl) -> tuple[str, int]:
    """(driver, device capabilities) of a device; raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        answer = ioctl(descriptor, QUERYCAP, bytes(CAPABILITY.size))
    finally:
        os.close(descriptor)
    driver, _card, _bus, _version, _all, capabilities = CAPABILITY.unpack(answer)
    return driver.split(b"\0")[0].decode(errors="replace"), capabilities


def rearm(path: Path, ioctl: Ioctl = system_ioctl) -> bool:
    """Makes a stuck loopback device accept a writer again; True when it now offers output.

    v4l2loopback 0.12 with exclusive_caps=1 takes its output side away from a program that writes, and gives it back at closing
    only to one that had asked for streaming. Asking for that on the output side and closing cures it; the request may be refused.
    Where the output side is offered already, as by v4l2loopback 0.14 and newer, which refuse STREAMON without buffers, nothing is
    asked.
    """
    if query(path, ioctl)[1] & OUTPUT:
        return True
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        with contextlib.suppress(OSError):
            ioctl(descriptor, STREAMON, struct.pack("i", BUFFER_TYPE_OUTPUT))
    finally:
        os.close(descriptor)
    return bool(query(path, ioctl)[1] & OUTPUT)


def accepted_format(path: Path, size: tuple[int, int], fourcc: bytes, ioctl: Ioctl = system_ioctl) -> tuple[int, int, bytes]:
    """(width, height, fourcc) that the output side would take when asked for these; raises OSError. Changes nothing.

    A loopback device that a program reads, or whose format was fixed, answers with its own.
    """
    wanted = FORMAT.pack(BUFFER_TYPE_OUTPUT, *size, int.from_bytes(fourcc, "little"))
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        _type, width, height, code = FORMAT.unpack(ioctl(descriptor, TRY_FORMAT, wanted))
    finally:
        os.close(descriptor)
    return width, height, code.to_bytes(4, "little")


def kept_format(path: Path, size: tuple[int, int], fourcc: bytes = SENT_FORMAT, ioctl: Ioctl = system_ioctl) -> str:
    """The format that a loopback device insists on instead of ours, e.g. "640x480 YUYV"; "" when it takes ours, or is mute."""
    try:
        width, height, kept = accepted_format(path, size, fourcc, ioctl)
    except OSError:
        return ""
    return "" if (width, height, kept) == (*size, fourcc) else f"{width}x{height} {kept.decode(errors='replace')}"


def sends(path: Path, seconds: float = 0.7) -> bool:
    """Whether some program sends to a loopback device now: two new pictures come within ``seconds``. Read as a meeting would.

    The device's capabilities do not tell: it looks the same while a program only goes on reading after the sender has gone.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return True
    try:
        end_s, pictures = time.monotonic() + seconds, 0
        while pictures < 2 and time.monotonic() < end_s:
            pictures += picture_waits(descriptor)
            time.sleep(0.005)
    finally:
        os.close(descriptor)
    return pictures >= 2


def picture_waits(descriptor: int) -> bool:
    """Takes a picture if there is a new one."""
    try:
        return len(os.read(descriptor, LARGEST_PICTURE_BYTES)) > 0
    except OSError:
        return False
