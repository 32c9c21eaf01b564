"""HifiHead Mic: a microphone on Linux that other programs see, and that plays what is played into it."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from engine.errors import DeviceError
from engine.resource import Resource
from vcam.sound.pulse import PulseConnection, PulseModule

NAME = "HifiHead Mic"
SINK, SOURCE = "hifihead_mic_input", "hifihead_mic"
OWN = (SOURCE, f"{SINK}.monitor")  # never to be heard: it would hear itself
OWNER = re.compile(r"hifihead\.process=(\d+)-(\d+)")


class VirtualMicrophone(Resource):
    """The microphone, until ``close``: a sink that nobody hears, and a source that records it.

    Nothing becomes the system's default, and nothing of other programs is touched. What a process left that was killed is
    taken away first.
    """

    def __init__(self, connection: PulseConnection) -> None:
        """Raises DeviceError when the daemon refuses, or another process has the microphone."""
        self._connection = connection
        self._modules: list[int] = []
        remove_left(connection)
        owner = f"hifihead.process={os.getpid()}-{start_ticks(os.getpid())}"
        low = "priority.session=0 priority.driver=0"  # PipeWire makes neither the system's by itself
        try:
            for module, argument in (
                (
                    "module-null-sink",
                    f"sink_name={SINK} rate=48000 channels=1 "
                    f"sink_properties=\"device.description='Input of {NAME}' {owner} {low}\"",
                ),
                (
                    "module-remap-source",
                    f"source_name={SOURCE} master={SINK}.monitor channels=1 "
                    f"source_properties=\"device.description='{NAME}' {owner} {low}\"",
                ),
            ):
                self._modules.append(connection.load_module(module, argument))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        while self._modules:
            with suppress(DeviceError):  # the daemon is gone, and with it its modules
                self._connection.unload_module(self._modules.pop())


def remove_left(connection: PulseConnection) -> None:
    """Takes away the microphone of a process that has ended; raises DeviceError when one that runs has it."""
    for module in reversed(own_modules(connection)):
        owner = OWNER.search(module.argument)
        if owner is not None and start_ticks(int(owner[1])) == int(owner[2]):
            raise DeviceError(f"{NAME} belongs to another HifiHead Cam (process {owner[1]}); end that one first.")
        connection.unload_module(module.index)


def own_modules(connection: PulseConnection) -> list[PulseModule]:
    """Those that make the microphone, whoever loaded them, in the order in which they were loaded."""
    return [module for module in connection.modules() if re.search(rf"\b(sink|source)_name=({SINK}|{SOURCE})\s", module.argument)]


def start_ticks(process: int) -> int:
    """When a process began [clock ticks], which with its number tells it from all others; 0 = it has ended."""
    try:
        return int(Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0
