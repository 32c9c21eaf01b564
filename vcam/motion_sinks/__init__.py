"""Motion sinks by name: where motion goes. A new one is a module with ``open_motion_sink``, and one line in ``MOTION_SINKS``."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vcam.build import Builder
    from vcam.interfaces import MotionSink


@dataclass(frozen=True)
class MotionSinkKind:
    """A kind of motion sink.

    module    has ``open_motion_sink(builder, argument) -> MotionSink``, which raises InputError, ConfigError; not imported before
    summary   what it is, for help texts
    argument  what follows its name and a colon, e.g. "FILE.z"; in brackets where it may be left out
    """

    module: str
    summary: str
    argument: str


MOTION_SINKS = {
    "vmc": MotionSinkKind("vcam.motion_sinks.vmc", "a program that receives VMC", "[ADDRESS:PORT]"),
    "livelink": MotionSinkKind("vcam.motion_sinks.livelink", "Unreal Engine, as Live Link Face", "[ADDRESS:PORT]"),
    "vtubestudio": MotionSinkKind("vcam.motion_sinks.vtubestudio", "VTube Studio, as its plug-in", "[PORT]"),
    "record": MotionSinkKind("vcam.motion_sinks.recording", "a recording of what the source sees", "FILE.z"),
}


def accepts(setting: str) -> bool:
    """Whether ``streams.send`` takes this."""
    name, colon, argument = setting.partition(":")
    kind = MOTION_SINKS.get(name)
    return kind is not None and (bool(argument) if colon else kind.argument.startswith("["))


def setting_values() -> list[str]:
    """What ``streams.send`` takes, for messages."""
    named = ((name, kind.argument) for name, kind in MOTION_SINKS.items())
    return [f"{name}[:{argument[1:]}" if argument.startswith("[") else f"{name}:{argument}" for name, argument in named]


def open_motion_sink(builder: Builder, setting: str) -> MotionSink:
    """Opens one motion sink of ``streams.send``; raises InputError, ConfigError."""
    name, _, argument = setting.partition(":")
    sink: MotionSink = importlib.import_module(MOTION_SINKS[name].module).open_motion_sink(builder, argument)
    return sink
