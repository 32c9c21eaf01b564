"""Sinks by name: where pictures go. A new one is a module with ``open_sink``, and one line in ``SINKS``."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vcam.build import Builder
    from vcam.interfaces import Sink
    from vcam.session import Session


@dataclass(frozen=True)
class SinkKind:
    """A kind of sink.

    module    has ``open_sink(builder, session, argument, required) -> Sink``, which raises DeviceError, InputError; not imported
              before. A sink that is not required waits for its device.
    summary   what it is, for help texts
    argument  what follows its name and a colon in ``output.sink``, e.g. "MP4"; "" = nothing
    """

    module: str
    summary: str
    argument: str = ""


SINKS = {
    "virtual": SinkKind("vcam.sinks.virtual", "the virtual camera"),
    "preview": SinkKind("vcam.sinks.preview", "the preview page"),
    "file": SinkKind("vcam.sinks.mp4", "an MP4 file, until Ctrl-C or --frames", "MP4"),
}
AUTOMATIC = ("virtual", "preview")  # what "auto" opens: the virtual camera as soon as there is one, and the preview page


def resolve(setting: str) -> list[tuple[str, str, bool]]:
    """(name in ``SINKS``, argument, required) of each sink that an ``output.sink`` setting means, in the order of opening."""
    if setting == "auto":
        return [(name, "", name == "preview") for name in AUTOMATIC]
    name, _, argument = setting.partition(":")
    return [(name, argument, True)]


def open_sink(builder: Builder, session: Session, name: str, argument: str = "", *, required: bool = True) -> Sink:
    """Opens one sink; raises DeviceError, InputError."""
    sink: Sink = importlib.import_module(SINKS[name].module).open_sink(builder, session, argument, required=required)
    return sink


def accepts(setting: str) -> bool:
    """Whether ``output.sink`` takes this."""
    name, _, argument = setting.partition(":")
    kind = SINKS.get(name)
    return setting == "auto" or (kind is not None and (bool(argument) if kind.argument else setting == name))


def setting_values() -> str:
    """What ``output.sink`` takes, for help texts: "auto|virtual|preview|file:MP4"."""
    return "|".join(["auto", *(f"{name}:{kind.argument}" if kind.argument else name for name, kind in SINKS.items())])
