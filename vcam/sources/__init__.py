"""Motion sources by name: what moves the avatar. A new one is a module with ``open_source``, and one line in ``SOURCES``."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import InputError
from engine.files import user_path

if TYPE_CHECKING:
    from vcam.build import Builder
    from vcam.interfaces import MotionSource


@dataclass(frozen=True)
class SourceKind:
    """A kind of motion source.

    module    has ``open_source(builder, argument) -> MotionSource``, which raises InputError, DeviceError; not imported before
    setting   how ``camera.source`` names it, for help texts: its name, and ":ARGUMENT" if it takes one; or, like "VIDEO", what
              ``resolve`` knows by other means
    summary   what it is, for help texts
    """

    module: str
    setting: str
    summary: str


AUTOMATIC = "auto"  # the first webcam, whenever there is one

SOURCES = {
    "webcam": SourceKind("vcam.sources.webcam", "N", "the webcam with that number"),
    "video": SourceKind("vcam.sources.video", "VIDEO", "a video file, which is looped"),
    "recording": SourceKind("vcam.sources.recording", "recording", "the bundled recorded motion; needs no camera"),
    "idle": SourceKind("vcam.sources.idle", "idle", "nobody: the avatar breathes and blinks"),
}


def resolve(source: str) -> tuple[str, str]:
    """(name in ``SOURCES``, argument) of a ``camera.source`` setting.

    Raises InputError for what is neither a kind, a number nor a file.
    """
    if source == AUTOMATIC:
        return "webcam", AUTOMATIC
    name, _, argument = source.partition(":")
    if name in SOURCES and SOURCES[name].setting.partition(":")[0] == name:
        return name, argument
    if source.isdecimal():
        return "webcam", source
    path = user_path(source)
    if not os.path.exists(path):  # noqa: PTH110 — also of a name that cannot be
        raise InputError(
            f"There is no camera or video {source!r}; wanted {' or '.join(setting_values().split('|'))}, where N is a webcam's "
            "number ('hifihead devices' lists them)."
        )
    return "video", str(path)


def open_source(builder: Builder) -> MotionSource:
    """The source that the builder's settings name, not yet started; raises InputError, DeviceError."""
    name, argument = resolve(builder.settings.camera.source)
    source: MotionSource = importlib.import_module(SOURCES[name].module).open_source(builder, argument)
    return source


def setting_values() -> str:
    """What ``camera.source`` takes, for help texts: "auto|N|VIDEO|…"."""
    return "|".join([AUTOMATIC, *(kind.setting for kind in SOURCES.values())])
