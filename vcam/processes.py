"""Which programs run and what they have open, as far as Linux lets this user see: its own; root sees everybody's."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

PROCESSES = Path("/proc")
PROGRAM_NAMES = ("hifihead", "vcam")


def others(processes: Path = PROCESSES) -> Iterator[Path]:
    """The folders of all processes but this one, by number; none on other systems."""
    found = (path for path in processes.glob("[0-9]*") if path.name.isdecimal() and path.name != str(os.getpid()))
    return iter(sorted(found, key=lambda path: int(path.name)))


def others_have_open(path: Path, processes: Path = PROCESSES) -> bool:
    """Whether a process other than this one has the file open; some ten milliseconds."""
    return any(str(path) in open_files(process / "fd") for process in others(processes))


def open_files(folder: Path) -> list[str]:
    """Where the descriptors in a /proc/N/fd folder lead; none when it may not be read or its process has ended."""
    found = []
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208 — names are enough, and there may be tens of thousands
            with contextlib.suppress(OSError):
                found.append(os.readlink(f"{folder}/{name}"))  # noqa: PTH115 — likewise
    return found


def users_of(device: Path, processes: Path = PROCESSES) -> tuple[tuple[str, ...], bool]:
    """(programs that have a device open, as "name (pid)", whether one is HifiHead Cam's camera)."""
    users, ours = [], False
    for process in others(processes):
        if str(device) not in open_files(process / "fd"):
            continue
        with contextlib.suppress(OSError):
            users.append(f"{(process / 'comm').read_text(errors='replace').strip()} ({process.name})")
            ours = ours or is_ours(command_line(process))
    return tuple(users), ours


def running(processes: Path = PROCESSES) -> bool:
    """Whether a camera of HifiHead Cam is running in another process."""
    return any(is_ours(command_line(process)) for process in others(processes))


def command_line(process: Path) -> list[str]:
    """Program and arguments; none when that may not be read or the process has ended."""
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def is_ours(arguments: list[str]) -> bool:
    """Whether a command line is ``hifihead run``."""
    before = arguments[: arguments.index("run")] if "run" in arguments else []
    return any(Path(argument).name in PROGRAM_NAMES for argument in before)
