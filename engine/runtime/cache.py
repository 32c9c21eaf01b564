"""Engines that took long to build, kept on disk. A file is used only when it is whole and was built for just this case."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from engine.errors import InputError
from engine.files import write_bytes
from engine.process import user_folder

MAGIC = b"hifihead engine 1\n"


def default_folder() -> Path:
    """Where engines are kept unless told otherwise."""
    return user_folder("cache") / "engines"


def ignore(sentence: str) -> None:
    """For who does not want to hear."""


@dataclass(frozen=True)
class EngineKey:
    """What a built engine depends on; it suits no other case."""

    engine: str
    device: str
    driver: str
    library: str
    graph_sha256: str
    precision: str

    def line(self) -> bytes:
        """One line of JSON."""
        return json.dumps(vars(self), sort_keys=True).encode() + b"\n"


class EngineCache:
    """``get`` and ``put`` by graph name and key. A folder that cannot be written is told once, and then done without."""

    def __init__(self, folder: Path | None = None, say: Callable[[str], None] = ignore) -> None:
        self._given, self._say, self._told = folder, say, False

    def get(self, graph: str, key: EngineKey) -> bytes | None:
        """What was put under this key, or None when nothing was, or something for another case, or the file is damaged."""
        try:
            content = self._file(graph, key).read_bytes()
        except OSError:
            return None
        head = MAGIC + key.line()
        start = len(head) + 65
        data = content[start:]
        whole = content[:start] == head + hashlib.sha256(data).hexdigest().encode() + b"\n"
        return data if whole else None

    def put(self, graph: str, key: EngineKey, data: bytes) -> None:
        """Keeps ``data`` in place of what was kept for this graph and engine, whatever it was for."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_bytes(self._file(graph, key), MAGIC + key.line() + hashlib.sha256(data).hexdigest().encode() + b"\n" + data)
        except (OSError, InputError) as error:
            if not self._told:
                self._told = True
                self._say(
                    f"Built engines cannot be kept in {self._folder} ({error}): "
                    "they are built anew at every start. Make that folder writable."
                )

    @cached_property
    def _folder(self) -> Path:
        """Looked for when something is to be kept: most engines keep nothing."""
        return self._given or default_folder()

    def _file(self, graph: str, key: EngineKey) -> Path:
        return self._folder / f"{graph}-{key.engine}.engine"
