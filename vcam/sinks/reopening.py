"""A sink that survives its device: what is gone is opened again, now and then, while everything else goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.errors import DeviceError
from engine.resource import Resource
from engine.values import Picture
from vcam.interfaces import Clock, Sink
from vcam.messages import Messages

if TYPE_CHECKING:
    from vcam.build import Builder


def open_reopening(
    open_camera: Callable[[], Sink],
    builder: Builder,
    *,
    what: str,
    hint: str = "",
    retry_s: float,
    required: bool,
) -> ReopeningSink:
    """Opens a camera, which ``what`` names; when it is missing it is waited for, or ``required`` and DeviceError raised.

    ``hint``: a sentence for the user once it is open.
    """
    messages = builder.messages
    opened: Sink | None = None
    try:
        opened = open_camera()
        messages.say(f"Sending to the virtual camera {opened.name}.{hint and f' {hint}'}")
    except DeviceError as error:
        if required:
            raise
        messages.say(f"Going on without the {what}. {error}")
    return ReopeningSink(open_camera, opened, clock=builder.clock, messages=messages, retry_s=retry_s)


class ReopeningSink(Resource):
    """Sends to what ``open_sink`` returns; after a DeviceError tries again every ``retry_s``."""

    placeholders = True

    def __init__(
        self, open_sink: Callable[[], Sink], opened: Sink | None, *, clock: Clock, messages: Messages, retry_s: float
    ) -> None:
        self._open_sink, self._sink = open_sink, opened
        self._clock, self._messages, self._retry_s = clock, messages, retry_s
        self._next_s = clock.now() + retry_s

    @property
    def name(self) -> str:
        return self._sink.name if self._sink else "no virtual camera"

    def send(self, picture: Picture) -> None:
        if self._sink is None and self._clock.now() >= self._next_s:
            self._reopen()
        if self._sink is None:
            return
        try:
            self._sink.send(picture)
        except DeviceError as error:
            self._messages.say(f"{error} Trying again.")
            self.close()

    def watched(self) -> bool:
        return self._sink is not None and self._sink.watched()

    def _reopen(self) -> None:
        self._next_s = self._clock.now() + self._retry_s
        try:
            self._sink = self._open_sink()
        except DeviceError:
            return  # its sentence was said when it failed first
        self._messages.say(f"Sending to the virtual camera {self._sink.name}.")

    def close(self) -> None:
        sink, self._sink = self._sink, None
        self._next_s = self._clock.now() + self._retry_s
        if sink is not None:
            self._messages.attempt("sink", "Closing the virtual camera", sink.close)
