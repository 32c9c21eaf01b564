"""Compiling at the first start on a machine: numba does it for the processor that it finds, and keeps what it made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from numba.core import event


@contextmanager
def compilation_told(tell: Callable[[], object]) -> Iterator[None]:
    """Within, ``tell`` is called when something is compiled, once; what was kept is loaded without a word."""
    with event.install_listener("numba:compile", FirstOnly(tell)):
        yield


class FirstOnly(event.Listener):
    """Hears of every compilation, on the thread that does it."""

    def __init__(self, tell: Callable[[], object]) -> None:
        self._tell, self._told = tell, False

    def on_start(self, event: event.Event) -> None:
        """A compilation begins."""
        del event
        if not self._told:
            self._told = True
            self._tell()

    def on_end(self, event: event.Event) -> None:
        """A compilation ends."""
