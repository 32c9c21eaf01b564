"""Settings that change while the camera runs: all that they need is opened first, then all of it is put in place."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vcam.build import Builder
from vcam.current_avatar import CurrentAvatar, NextAvatar
from vcam.drive import DriveOptions
from vcam.interfaces import Configurable, Sink
from vcam.pipeline.threads import Pipeline
from vcam.plugins.host import PluginChange, PluginHost

if TYPE_CHECKING:
    from vcam.motion_sinks.group import MotionSinks
    from vcam.sources.priority import PrioritizedSources
    from vcam.sources.tracking import FaceRegressor


@dataclass(frozen=True)
class LiveParts:
    """What a change of settings may reach while the camera runs."""

    pipeline: Pipeline
    avatar: CurrentAvatar
    sinks: Sequence[Sink]
    plugins: PluginHost


@dataclass(frozen=True)
class SettingsChange:
    """What was opened for changed settings; None = the present one stays."""

    source: PrioritizedSources | None
    motion_sinks: MotionSinks | None
    regressor: FaceRegressor | None
    avatar: NextAvatar | None
    drive: DriveOptions | None
    plugins: PluginChange | None


def change_settings(parts: LiveParts, builder: Builder, keys: frozenset[str]) -> None:
    """Makes the parts what ``builder`` opens by its settings, of which ``keys``, "section.key", are new.

    Raises HifiHeadError before anything is changed.
    """
    with opened_change(parts, builder, keys) as change:
        # whatever could be refused is open; what follows fails only when the session ends meanwhile
        put_in_place(parts, builder, change)


@contextlib.contextmanager
def opened_change(parts: LiveParts, builder: Builder, keys: frozenset[str]) -> Iterator[SettingsChange]:
    """The parts that changed settings need. They are closed when the block, or the opening of another, raises."""
    sections = {key.split(".")[0] for key in keys}
    source = motion_sinks = regressor = avatar = animator = plugins = None
    with contextlib.ExitStack() as opened:
        if keys & {"streams.send", "streams.lan"}:
            motion_sinks = builder.open_motion_sinks()
            opened.callback(motion_sinks.close)
        if "camera" in sections or keys & {"streams.sources", "streams.phone", "streams.lan"}:
            source = builder.open_sources()
            opened.callback(source.close)
            source.prepare()
        elif "tracking" in sections or "runtime.engine" in keys:
            regressor = builder.open_regressor(strict=True)
            opened.callback(regressor.close)
        if "runtime" in sections:
            animator = builder.open_animator(strict=True)
            opened.callback(animator.close)
        if {"avatar", "runtime"} & sections:
            photo = builder.photo() if "avatar" in sections else parts.avatar.photo
            avatar = parts.avatar.prepare(builder, photo, animator)
        if "plugins" in sections:
            plugins = parts.plugins.prepare(builder.settings.plugins.sections())
            opened.callback(plugins.close)
        drive = builder.drive_options() if "drive" in sections else None
        yield SettingsChange(source, motion_sinks, regressor, avatar, drive, plugins)
        opened.pop_all()


def put_in_place(parts: LiveParts, builder: Builder, change: SettingsChange) -> None:
    """Lets what was opened take the place of what was there, which is closed."""
    pipeline = parts.pipeline
    if change.source is not None:
        pipeline.change_source(change.source)
    if change.motion_sinks is not None:
        pipeline.change_motion_sinks(change.motion_sinks)
    if (regressor := change.regressor) is not None:
        pipeline.motion.call(lambda: pipeline.source.use_regressor(regressor)).result().close()
    if change.avatar is not None:
        parts.avatar.replace(change.avatar, pipeline)
    if (drive := change.drive) is not None:
        pipeline.motion.call(lambda: pipeline.driving.configure(drive)).result()
    for sink in parts.sinks:
        if isinstance(sink, Configurable):
            sink.configure(builder.settings)
    if change.plugins is not None:
        parts.plugins.use(change.plugins)
