"""Watching the settings file and the photograph: changes take effect while everything runs; a mistake changes nothing.

The files are looked at several times a second under the names that they have, so that symbolic links count as they lead at that
moment. A file is taken up once it has come to rest. What cannot be used then may be half written: it is tried again after a
longer rest, and only then said to be wrong. What was used is looked at again, too: a file system may give two changes the same
time. A file that was only touched, or was away for a while, is still what it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Protocol

from engine.errors import HifiHeadError, InputError
from vcam.avatars.avatar import photo_path
from vcam.avatars.pictures import pictures_of
from vcam.config import Settings
from vcam.config_file import Changes, differences, read_settings
from vcam.messages import Messages
from vcam.session import AppliedSettings

LOOK_EVERY_S = 0.1
AT_REST_S = 0.25  # unchanged for so long, a file is tried
CLOSE_S = 0.5  # for the thread to end; one that prepares a photograph ends later, by itself
COMPLETE_S = 2.0  # unchanged for so long, it will not become better by itself


class Updatable(Protocol):
    """``Session``, as far as it matters here."""

    @property
    def photo(self) -> Path: ...

    def set_avatar(self, photo: Path) -> None: ...

    def update_settings(self, changes: Changes, name: str = ...) -> AppliedSettings: ...


def fingerprint(path: Path) -> tuple[object, ...] | None:
    """What changes with the file that a name leads to now, or with the pictures of a folder; None when it leads to none, or to a
    pipe, which is read once only."""
    try:
        found = os.stat(path)  # noqa: PTH116 — a ValueError of an impossible name shall be seen here
        if stat.S_ISDIR(found.st_mode):
            return tuple((picture.name, fingerprint(picture)) for picture in pictures_of(path) if picture.is_file())
    except (OSError, ValueError, InputError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def contents(path: Path) -> bytes | None:
    """A hash of what a file or a folder's pictures hold; None where they cannot be read."""
    found = hashlib.sha256()
    try:
        for picture in pictures_of(path):
            if picture.is_file():
                found.update(
                    hashlib.sha256(picture.name.encode("utf-8", "surrogateescape") + b"\0" + picture.read_bytes()).digest()
                )
    except (OSError, ValueError, InputError):
        return None
    return found.digest()


def ends_a_line(path: Path) -> bool:
    """Whether a text file's last line is ended, as it seldom is while somebody writes; True where it cannot be read."""
    try:
        return path.read_bytes().rstrip(b"\0 ").endswith(b"\n")
    except (OSError, ValueError):
        return True


class WatchedFile:
    """``use`` is called when the file has changed and come to rest; False = what is there cannot be used.

    Its argument is whether this is the last attempt, at which the reason is to be said.
    """

    def __init__(self, path: Path, use: Callable[[bool], bool], *, changed: bool = False) -> None:
        """``changed``: whether the file counts as changed just now."""
        self.path, self._use = path, use
        self._seen = fingerprint(path)
        self._used = None if changed else contents(path)
        self._changed_s: float | None = None
        self._attempts = 0 if changed else 2

    def look(self, now_s: float) -> None:
        """To be called often."""
        seen = fingerprint(self.path)
        if self._changed_s is None:
            self._changed_s = now_s
        if seen != self._seen:
            self._seen, self._changed_s, self._attempts = seen, now_s, 0
        if self._attempts == 2 or seen is None:  # used or given up; or not there: what was read before stays in force
            return
        if now_s - self._changed_s >= (AT_REST_S, COMPLETE_S)[self._attempts]:
            self._attempts += 1
            found = contents(self.path)
            if (found is None or found != self._used) and self._use(self._attempts == 2):
                self._used = found


class FileWatch:
    """Hands what changes in the files to a session. ``settings`` are those of the settings file at the start, if there is one."""

    def __init__(self, path: Path | None, settings: Settings, session: Updatable, messages: Messages) -> None:
        self._path, self._settings, self._session, self._messages = path, settings, session, messages
        # changed: it may have been since it was read
        self._config = None if path is None else WatchedFile(path, self.reload, changed=True)
        self._present = WatchedFile(session.photo, self._reload_photo)
        self._wanted: WatchedFile | None = None  # the photograph of settings that could not be applied

    def run(self, stop: Event) -> None:
        """Until ``stop`` is set."""
        while not stop.wait(LOOK_EVERY_S):
            self._messages.attempt("config", "Reading the settings", lambda: self.step(time.monotonic()))

    def step(self, now_s: float) -> None:
        """Looks at every file once."""
        if self._session.photo != self._present.path:
            self._present = WatchedFile(self._session.photo, self._reload_photo)
        for file in (self._config, self._present, self._wanted):
            if file is not None:
                file.look(now_s)

    def reload(self, last: bool = True) -> bool:
        """Reads the settings file again; on a mistake the last good settings stay in force, and ``last`` says why."""
        assert self._path is not None  # noqa: S101 — only then it is watched
        try:
            if not last and not ends_a_line(self._path):
                return False
            settings = read_settings(self._path)
            photo = photo_path(settings.avatar.photo, self._path)
            if self._wanted is None or self._wanted.path != photo:
                self._wanted = WatchedFile(photo, self.reload)
            changes = differences(self._settings, settings)
            if changes:
                applied = self._session.update_settings(changes, str(self._path))
                if applied.at_next_start:
                    self._messages.say(f"Changes of {', '.join(applied.at_next_start)} take effect at the next start.")
        except HifiHeadError as error:
            if last:
                self._messages.say(f"{error} The last good settings stay in force.")
            return False
        self._settings, self._wanted = settings, None
        return True

    def _reload_photo(self, last: bool) -> bool:
        """Prepares the photograph again, which was replaced under its name."""
        try:
            self._session.set_avatar(self._session.photo)
        except HifiHeadError as error:
            if last:
                self._messages.say(f"{error} The last good picture stays.")
            return False
        return True


@contextlib.contextmanager
def watching(path: Path | None, settings: Settings, session: Updatable, messages: Messages) -> Iterator[None]:
    """Watches the photograph, and the settings file, if there is one, on a thread."""
    stop, watch = Event(), FileWatch(path, settings, session, messages)
    thread = threading.Thread(
        target=lambda: messages.attempt("watch", "Watching the settings", lambda: watch.run(stop)), name="settings"
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(CLOSE_S)
