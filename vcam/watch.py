"""Watching the settings file: changes take effect while everything runs; a mistake in the file changes nothing."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Protocol

import watchfiles

from engine.errors import HifiHeadError
from vcam.config import Settings
from vcam.config_file import Changes, differences, read_settings
from vcam.messages import Messages
from vcam.session import AppliedSettings


class Updatable(Protocol):
    """``Session``, as far as it matters here."""

    def update_settings(self, changes: Changes, name: str = ...) -> AppliedSettings: ...


class ConfigWatch:
    """Hands what changes in the file to a session. ``settings`` are those of the file at the start."""

    def __init__(self, path: Path, settings: Settings, session: Updatable, messages: Messages) -> None:
        self._path, self._settings, self._session, self._messages = path.resolve(), settings, session, messages

    def run(self, stop: Event) -> None:
        """Until ``stop`` is set. The folder is watched, because editors replace files instead of changing them."""
        changes = watchfiles.watch(
            self._path.parent,
            watch_filter=self._concerns,
            stop_event=stop,
            recursive=False,
            raise_interrupt=False,
            debounce=100,
            step=50,
            rust_timeout=500,
        )
        for _ in changes:
            self._messages.attempt("config", "Reading the settings", self.reload)

    def _concerns(self, _change: watchfiles.Change, path: str) -> bool:
        return Path(path).name == self._path.name

    def reload(self) -> None:
        """Reads the file again; on a mistake says why, and the last good settings stay in force."""
        try:
            settings = read_settings(self._path)
            changes = differences(self._settings, settings)
            if changes:
                applied = self._session.update_settings(changes, str(self._path))
                if applied.at_next_start:
                    self._messages.say(f"Changes of {', '.join(applied.at_next_start)} take effect at the next start.")
        except HifiHeadError as error:
            self._messages.say(f"{error} The last good settings stay in force.")
            return
        self._settings = settings


@contextlib.contextmanager
def watching(path: Path | None, settings: Settings, session: Updatable, messages: Messages) -> Iterator[None]:
    """Watches the settings file, if there is one, on a thread."""
    if path is None:
        yield
        return
    stop, watch = Event(), ConfigWatch(path, settings, session, messages)
    thread = threading.Thread(
        target=lambda: messages.attempt("watch", "Watching the settings", lambda: watch.run(stop)), name="settings"
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(2.0)
