"""A connection to the sound daemon, PulseAudio or PipeWire: its microphones and its modules."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from engine.errors import DeviceError
from engine.resource import Resource
from vcam.sound import pulse_library

PATIENCE_S = 5.0  # for an answer of the daemon
SLICE_S = 0.05


@dataclass(frozen=True)
class PulseSource:
    """What can be recorded. ``description`` is what programs show, ``monitor`` says that it is what an output plays."""

    name: str
    description: str
    monitor: bool


@dataclass(frozen=True)
class PulseModule:
    """A module that the daemon has loaded."""

    index: int
    name: str
    argument: str


class PulseConnection(Resource):
    """Belongs to one thread, which lets it work by ``wait``. All methods raise DeviceError when the daemon is gone or refuses."""

    def __init__(self) -> None:
        """Raises DeviceError where there is no libpulse, or no daemon. None is started."""
        self.library = pulse_library.load()
        with ExitStack() as opened:
            self._loop = self.library.pa_mainloop_new()
            opened.callback(self.library.pa_mainloop_free, self._loop)
            self.context = self.library.pa_context_new(self.library.pa_mainloop_get_api(self._loop), b"HifiHead Cam")
            opened.callback(self.library.pa_context_unref, self.context)
            self.library.pa_context_connect(self.context, None, pulse_library.NO_AUTOSPAWN, None)
            opened.callback(self.library.pa_context_disconnect, self.context)
            self.wait_until(lambda: self.library.pa_context_get_state(self.context) == pulse_library.CONTEXT_READY)
            self._closing = opened.pop_all()

    def close(self) -> None:
        self._closing.close()

    def wait(self, longest_s: float) -> None:
        """Works for up to that long, until something happens."""
        self.library.pa_mainloop_prepare(self._loop, int(longest_s * 1e6))
        self.library.pa_mainloop_poll(self._loop)
        self.library.pa_mainloop_dispatch(self._loop)
        state = self.library.pa_context_get_state(self.context)
        if state in (pulse_library.CONTEXT_FAILED, pulse_library.CONTEXT_TERMINATED):
            raise DeviceError(f"The sound daemon, PulseAudio or PipeWire, cannot be reached ({self.error()}).")

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Works until something holds."""
        end_s = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > end_s:
                raise DeviceError(f"The sound daemon, PulseAudio or PipeWire, does not answer within {PATIENCE_S:.0f} s.")
            self.wait(SLICE_S)

    def error(self) -> str:
        """What went wrong last, as the library says it."""
        text: bytes = self.library.pa_strerror(self.library.pa_context_errno(self.context))
        return text.decode(errors="replace")

    def load_module(self, name: str, argument: str) -> int:
        """The index of the new module."""
        told: list[int] = []
        callback = pulse_library.IndexTold(lambda _context, index, _data: told.append(index))
        self._finish("pa_context_load_module", name.encode(), argument.encode(), callback)
        if not told or told[0] == pulse_library.NONE:
            raise DeviceError(f"The sound daemon does not load {name} ({self.error()}).")
        return told[0]

    def unload_module(self, index: int) -> None:
        """Takes a module away; nothing when it is gone already."""
        self._finish("pa_context_unload_module", index, pulse_library.SuccessTold(lambda _context, _success, _data: None))

    def modules(self) -> list[PulseModule]:
        """Those that are loaded."""
        found: list[PulseModule] = []

        def told(_context: int, info: Any, end: int, _data: int) -> None:
            if not end:
                module = info.contents
                found.append(PulseModule(module.index, text(module.name), text(module.argument)))

        self._finish("pa_context_get_module_info_list", pulse_library.ModuleTold(told))
        return found

    def sources(self) -> list[PulseSource]:
        """What can be recorded."""
        found: list[PulseSource] = []

        def told(_context: int, info: Any, end: int, _data: int) -> None:
            if not end:
                source = info.contents
                monitor = source.monitor_of_sink != pulse_library.NONE
                found.append(PulseSource(text(source.name), text(source.description), monitor))

        self._finish("pa_context_get_source_info_list", pulse_library.SourceTold(told))
        return found

    def default_source(self) -> str:
        """The name of the system's microphone; "" when it has none."""
        told: list[str] = []
        callback = pulse_library.ServerTold(
            lambda _context, info, _data: told.append(text(info.contents.default_source_name) if info else "")
        )
        self._finish("pa_context_get_server_info", callback)
        return told[0] if told else ""

    def _finish(self, function: str, *arguments: Any) -> None:
        """Calls a function of the context whose last argument is a callback, and waits until it was called back."""
        operation = getattr(self.library, function)(self.context, *arguments, None)
        if not operation:
            raise DeviceError(f"The sound daemon, PulseAudio or PipeWire, cannot be reached ({self.error()}).")
        try:
            self.wait_until(lambda: self.library.pa_operation_get_state(operation) != pulse_library.OPERATION_RUNNING)
        finally:
            self.library.pa_operation_unref(operation)


def text(value: bytes | None) -> str:
    """A string of the library."""
    return (value or b"").decode(errors="replace")
