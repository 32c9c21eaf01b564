"""Watching the config file: a new portrait is prepared and offered while everything runs; a broken edit changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import watchfiles

from engine.errors import ConfigError
from vcam.config import Settings
from vcam.config_file import read_settings
from vcam.messages import Messages


class ConfigWatch:
    """Calls ``on_photo`` with the new ``avatar.photo`` whenever the file changes it."""

    def __init__(self, path: Path, settings: Settings, on_photo: Callable[[str], None], messages: Messages) -> None:
        self._path, self._settings, self._on_photo, self._messages = path.resolve(), settings, on_photo, messages

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
        """Reads the file again; on a mistake says why and keeps the last good settings."""
        try:
            settings = read_settings(self._path)
        except ConfigError as error:
            self._messages.say(f"{error} The last good settings stay in force.")
            return
        before, self._settings = self._settings, settings
        later = changed_keys(before, settings) - {"avatar.photo"}
        if later:
            self._messages.say(f"Changes of {', '.join(sorted(later))} take effect at the next start.")
        if settings.avatar.photo != before.avatar.photo:
            self._on_photo(settings.avatar.photo)


def changed_keys(before: Settings, after: Settings) -> set[str]:
    """The settings that differ, as section.key."""
    old, new = before.model_dump(), after.model_dump()
    return {f"{section}.{key}" for section, keys in new.items() for key, value in keys.items() if old[section][key] != value}
