"""The drivers' rest and calibrated gaze, from one start to the next, in a small file of numbers."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import tomlkit
from tomlkit.exceptions import TOMLKitError

from engine.errors import InputError
from engine.files import write_private
from engine.values import EXPRESSION, GAZE, POSE, Floats
from vcam.drive.gaze import GazeMap
from vcam.drive.neutral import Rest
from vcam.messages import Messages

VERSION = 1
MOST_ENTRIES = 100  # the oldest goes
SIZES = {"pose": POSE, "gaze": GAZE, "expression": EXPRESSION, "closed": 2}
LARGEST = 1000.0
HEAD = "# Faces at rest and calibrated gazes, as numbers. Delete this file to have them learned anew.\n"


class RestMemory:
    """``recall`` and ``keep`` entries; ``save`` writes them. A file that is damaged counts as empty, and that is said."""

    def __init__(self, path: Path, messages: Messages) -> None:
        self._path, self._messages = path, messages
        self._gaze_maps: dict[str, GazeMap] = {}
        self._entries = self._read()

    def recall(self, source: str, avatar: str) -> Rest | None:
        """The rest of that source's driver before that avatar; None where it is not known."""
        return self._entries.get((source, avatar))

    def keep(self, source: str, avatar: str, rest: Rest) -> None:
        """The newest entry."""
        self._entries.pop((source, avatar), None)
        self._entries[source, avatar] = rest
        while len(self._entries) > MOST_ENTRIES:
            del self._entries[next(iter(self._entries))]

    def recall_gaze(self, source: str) -> GazeMap | None:
        """How the gaze of that source's driver is corrected; None where it was not calibrated."""
        return self._gaze_maps.get(source)

    def keep_gaze(self, source: str, gaze: GazeMap) -> None:
        self._gaze_maps[source] = gaze

    def save(self) -> None:
        """Writes the file, readable by its owner only; when that fails it is said."""
        entries = [
            {"source": source, "avatar": avatar, **{name: rounded(getattr(rest, name)) for name in SIZES}}
            for (source, avatar), rest in self._entries.items()
        ]
        maps = [{"source": source, "matrix": rounded(gaze.matrix.reshape(6))} for source, gaze in self._gaze_maps.items()]
        try:
            write_private(self._path, HEAD + tomlkit.dumps({"version": VERSION, "gaze": maps, "rest": entries}))
        except InputError as error:
            self._messages.say_rarely("rest", f"Your resting face cannot be kept for the next start: {error}")

    def _read(self) -> dict[tuple[str, str], Rest]:
        if not self._path.is_file():
            return {}
        try:
            values = tomllib.loads(self._path.read_text(encoding="utf-8"))
            if values.get("version") != VERSION:
                raise ValueError(f"version {values.get('version')}, {VERSION} is wanted")
            self._gaze_maps = {
                str(entry["source"]): GazeMap(numbers(entry, "matrix", 6).reshape(2, 3)) for entry in values["gaze"]
            }
            return {(str(entry["source"]), str(entry["avatar"])): rest_of(entry) for entry in values["rest"]}
        except (OSError, ValueError, KeyError, TypeError, TOMLKitError) as error:
            self._messages.say(f"The resting faces in {self._path} cannot be used ({error}); they are learned anew.")
            return {}


def rest_of(entry: dict[str, Any]) -> Rest:
    """Raises ValueError for numbers that cannot be."""
    return Rest(**{name: numbers(entry, name, size) for name, size in SIZES.items()})


def numbers(entry: dict[str, Any], name: str, size: int) -> Floats:
    """(size,) of an entry; raises ValueError."""
    array = np.asarray(entry[name], np.float32)
    if array.shape != (size,) or not (np.abs(array) < LARGEST).all():
        raise ValueError(f"{name} must have {size} numbers")
    return array


def rounded(values: Floats) -> list[float]:
    return [round(float(value), 5) for value in values]
