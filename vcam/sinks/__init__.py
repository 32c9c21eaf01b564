"""Sinks by name: where pictures go. A new one is a module with ``open_sink``, and one line in ``SINKS``."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vcam import v4l2
from vcam.pipewire.library import session_socket

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
    "virtual": SinkKind("vcam.sinks.virtual", "the virtual camera (Linux: v4l2loopback's)"),
    "pipewire": SinkKind("vcam.sinks.pipewire", "the virtual camera of PipeWire (Linux desktops)"),
    "preview": SinkKind("vcam.sinks.preview", "the preview page"),
    "file": SinkKind("vcam.sinks.mp4", "an MP4 file, until Ctrl-C or --frames", "MP4"),
}


def automatic(
    camera_name: str,
    find: Callable[[], list[v4l2.Device]] = v4l2.devices,
    session: Callable[[], object] = session_socket,
) -> list[str]:
    """What "auto" opens: the virtual camera as soon as there is one; PipeWire's where a session runs and v4l2loopback's, which
    every program lists, is not there at the start; and the preview page."""
    loopback = any(device.loopback and device.name == camera_name for device in find())
    return ["virtual", *(["pipewire"] if not loopback and session() else []), "preview"]


def resolve(setting: str, camera_name: str) -> list[tuple[str, str, bool]]:
    """(name in ``SINKS``, argument, required) of each sink that an ``output.sink`` setting means, in the order of opening."""
    if setting == "auto":
        return [(name, "", name == "preview") for name in automatic(camera_name)]
    return [(name, argument, True) for name, argument in named(setting)]


def named(setting: str) -> list[tuple[str, str]]:
    """(name, argument) of each sink in a list like "virtual,preview,file:a.mp4"; an argument reaches to the end."""
    item, colon, argument = setting.partition(":")
    *names, last = item.split(",")
    return [*((name, "") for name in names), (last, colon and argument)]


def wants(setting: str, name: str) -> bool:
    """Whether an ``output.sink`` setting may open that sink."""
    return setting == "auto" or name in dict(named(setting))


def open_sink(builder: Builder, session: Session, name: str, argument: str = "", *, required: bool = True) -> Sink:
    """Opens one sink; raises DeviceError, InputError."""
    sink: Sink = importlib.import_module(SINKS[name].module).open_sink(builder, session, argument, required=required)
    return sink


def accepts(setting: str) -> bool:
    """Whether ``output.sink`` takes this."""
    parts = named(setting)
    known = all(name in SINKS and bool(argument) == bool(SINKS[name].argument) for name, argument in parts)
    return setting == "auto" or (known and not setting.endswith(":") and len(dict(parts)) == len(parts))


def setting_values() -> str:
    """What ``output.sink`` takes, for help texts: "auto|virtual|pipewire|preview|file:MP4"."""
    return "|".join(["auto", *(f"{name}:{kind.argument}" if kind.argument else name for name, kind in SINKS.items())])
