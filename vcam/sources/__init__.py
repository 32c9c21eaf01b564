"""Motion sources by name: what moves the avatar. A new one is a module with ``open_source``, and one line in ``SOURCES``."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import InputError
from engine.files import user_path, web_address

if TYPE_CHECKING:
    from vcam.build import Builder
    from vcam.interfaces import MotionSource

RECORDING_ENDING = ".z"


@dataclass(frozen=True)
class SourceKind:
    """A kind of motion source.

    module    has ``open_source(builder, argument) -> MotionSource``, which raises InputError, DeviceError, ConfigError; not
              imported before
    setting   how ``camera.source`` names it, for help texts: its name, and ":ARGUMENT" if it takes one, "[:ARGUMENT]" if it may;
              or, like "VIDEO", what ``resolve`` knows by other means
    summary   what it is, for help texts
    stream    whether it listens to another program, and so may also stand in ``streams.sources``
    """

    module: str
    setting: str
    summary: str
    stream: bool = False

    @property
    def name(self) -> str:
        """What stands before the argument."""
        return self.setting.partition(":")[0].removesuffix("[")


AUTOMATIC = "auto"  # the first webcam, whenever there is one

SOURCES = {
    "webcam": SourceKind("vcam.sources.webcam", "N", "the webcam with that number"),
    "video": SourceKind("vcam.sources.video", "VIDEO", "a video file, which is looped"),
    "recording": SourceKind(
        "vcam.sources.recording", "recording[:FILE.z]", "recorded motion, or the bundled one; needs no camera"
    ),
    "idle": SourceKind("vcam.sources.idle", "idle", "nobody: the avatar breathes and blinks"),
    "ifacialmocap": SourceKind("vcam.sources.ifacialmocap", "ifacialmocap[:PORT]", "the phone app iFacialMocap", stream=True),
    "livelink": SourceKind("vcam.sources.livelink", "livelink[:PORT]", "the phone app Live Link Face", stream=True),
    "vtubestudio": SourceKind("vcam.sources.vtubestudio", "vtubestudio[:PORT]", "VTube Studio on a phone", stream=True),
    "vmc": SourceKind("vcam.sources.vmc", "vmc[:PORT]", "a program that sends VMC", stream=True),
    "openseeface": SourceKind("vcam.sources.openseeface", "openseeface[:PORT]", "the tracker OpenSeeFace", stream=True),
}


def resolve(source: str) -> tuple[str, str]:
    """(name in ``SOURCES``, argument) of a ``camera.source`` setting.

    Raises InputError for what is neither a kind, a number nor a file.
    """
    if source == AUTOMATIC:
        return "webcam", AUTOMATIC
    name, _, argument = source.partition(":")
    if name in SOURCES and SOURCES[name].name == name:
        return name, argument
    if source.isdecimal():
        return "webcam", source
    path = user_path(source)
    if not os.path.exists(path):  # noqa: PTH110 — also of a name that cannot be
        if address := web_address(path):
            raise InputError(f"The video {address} is an address; wanted the name of a file on this machine, or a camera.")
        raise InputError(
            f"There is no camera or video {source!r}; wanted {' or '.join(setting_values().split('|'))}, where N is a webcam's "
            "number ('hifihead devices' lists them)."
        )
    return ("recording" if path.suffix == RECORDING_ENDING else "video"), str(path)


def open_source(builder: Builder) -> MotionSource:
    """The source that ``camera.source`` names, not yet started; raises InputError, DeviceError, ConfigError."""
    return open_named(builder, builder.settings.camera.source)


def open_named(builder: Builder, setting: str) -> MotionSource:
    """``open_source`` for any setting of that form."""
    name, argument = resolve(setting)
    source: MotionSource = importlib.import_module(SOURCES[name].module).open_source(builder, argument)
    return source


def is_stream(setting: str) -> bool:
    """Whether ``streams.sources`` takes this."""
    kind = SOURCES.get(setting.partition(":")[0])
    return kind is not None and kind.stream


def stream_names() -> list[str]:
    """What ``streams.sources`` takes, for messages."""
    return [kind.setting for kind in SOURCES.values() if kind.stream]


def setting_values() -> str:
    """What ``camera.source`` takes, for help texts: "auto|N|VIDEO|…"."""
    return "|".join([AUTOMATIC, *(kind.setting for kind in SOURCES.values())])
