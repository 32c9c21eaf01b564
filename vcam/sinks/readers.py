"""Whether some program reads the virtual camera on Linux.

inotify tells when its device file was opened or closed, and only then /proc is searched for who has it open. That sees the
programs of the same user, and everybody's when run by root. Where it cannot be told, somebody may read: the camera stays on.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Callable
from pathlib import Path

from engine.resource import Resource
from vcam.processes import others_have_open

# <sys/inotify.h>
OPENED, CLOSED = 0x20, 0x08 | 0x10
EVENT_BYTES = 16  # of an event without a name

OpenWatch = Callable[[Path], int]


def open_watch(path: Path) -> int:
    """A descriptor that becomes readable when the file is opened or closed; raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = int(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "inotify is not available")
    if libc.inotify_add_watch(descriptor, os.fsencode(path), OPENED | CLOSED) < 0:
        os.close(descriptor)
        raise OSError(ctypes.get_errno(), f"{path} cannot be watched")
    return int(descriptor)


class Readers(Resource):
    """Tells whether other programs have ``path`` open. ``close`` it."""

    def __init__(self, path: Path, *, watch: OpenWatch = open_watch, search: Callable[[Path], bool] = others_have_open) -> None:
        self._path, self._search = path, search
        self._watch: int | None = None
        with contextlib.suppress(OSError, AttributeError):  # no C library with inotify: another system
            self._watch = watch(path)
        self._found = self._watch is None or search(path)

    def any(self) -> bool:
        """Some microseconds, unless somebody came or went."""
        if self._watch is not None and self._changed(self._watch):
            self._found = self._search(self._path)
        return self._found

    def close(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            os.close(watch)

    @staticmethod
    def _changed(watch: int) -> bool:
        """Whether events waited; takes them."""
        try:
            return len(os.read(watch, 256 * EVENT_BYTES)) > 0
        except BlockingIOError:
            return False
