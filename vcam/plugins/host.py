"""All plug-ins of a session: which are on, in which order they are asked, and what becomes of one that does wrong."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import HifiHeadError, InputError
from engine.files import user_path
from engine.resource import Resource
from engine.values import Floats, Picture
from vcam.avatars.avatar import Avatar
from vcam.avatars.cutout import Backdrop
from vcam.config_file import check, nearest
from vcam.interfaces import Clock
from vcam.messages import Messages
from vcam.motion import MotionFrame
from vcam.plugins.active import LONGEST_S, ActivePlugin
from vcam.plugins.interface import Controls, PluginContext, PluginSettings
from vcam.plugins.registry import FoundPlugin, find_plugins, settings_class, the_plugin
from vcam.plugins.worker import Work, Worker
from vcam.snapshot import Listener, PluginState
from vcam.stats import Stats

SLICE_S = 0.05  # how often waiting looks whether the session ends

Sections = Mapping[str, Mapping[str, Any]]
"""{name of a plug-in: its section of the settings}"""


@dataclass(frozen=True)
class PluginChange:
    """What changed sections mean: which plug-ins end, and those that take their place, loaded and checked, not started."""

    sections: Sections
    ending: tuple[str, ...]
    beginning: tuple[ActivePlugin, ...]

    def close(self) -> None:
        """For a change that is not made."""
        for plugin in self.beginning:
            plugin.stop(Work.done)


class PluginHost(Resource):
    """``prepare`` and ``use`` change what is on; the render stage calls ``on_motion`` and ``on_frame``, the sinks' clock
    ``on_sent``, the microphone ``on_audio``.

    A plug-in that fails is switched off with a sentence; the others go on. Nothing here raises but ``prepare``.
    """

    def __init__(
        self,
        folder: str,
        config_path: Path | None,
        *,
        size: tuple[int, int],
        fps: int,
        clock: Clock,
        messages: Messages,
        stats: Stats,
        controls: Controls,
        find: Callable[[str, Path | None], dict[str, list[FoundPlugin]]] = find_plugins,
        hear: Callable[[Callable[[Floats, float], None] | None], None] = lambda _listener: None,
    ) -> None:
        """``folder`` and ``config_path`` as of ``find_plugins``. ``hear`` opens the microphone for a listener, or, with None,
        closes it."""
        self._find, self._config_path = functools.partial(find, folder, config_path), config_path
        self._size, self._fps, self._clock, self._messages, self._stats = size, fps, clock, messages, stats
        self._controls, self._hear = controls, hear
        self._commands = threading.RLock()  # one change at a time
        self._changing = threading.Lock()  # of all below but the tuples, which are replaced as a whole
        self._sections: dict[str, Mapping[str, Any]] = {}
        self._active: dict[str, ActivePlugin] = {}
        self._states: dict[str, PluginState] = {}
        self._closed = False
        self._restarting = False
        self._backdrop: tuple[int, Backdrop | None] = (0, None)  # the last one, and of which avatar
        self.drawing: tuple[ActivePlugin, ...] = ()  # those asked for each picture
        self.taking: tuple[ActivePlugin, ...] = ()  # those that get what is sent
        self.hearing: tuple[ActivePlugin, ...] = ()
        self.muted = False  # then silence is heard

    # what is on

    def begin(self, sections: Sections) -> None:
        """Switches on what the settings want at the start; one that cannot be is told, the others go on."""
        for name, section in sections.items():
            with self._commands:
                self._sections[name] = section
                if self._closed or section.get("enabled") is not True:
                    continue
                try:
                    self._start(self._loaded(name, section))
                except HifiHeadError as error:
                    self._tell_off(name, error)

    def prepare(self, sections: Sections) -> PluginChange:
        """Loads and checks what changed sections want; raises ConfigError, InputError, and nothing is changed."""
        changed = {name: section for name, section in sections.items() if section != self._sections.get(name, {})}
        beginning = [self._loaded(name, section) for name, section in changed.items() if section.get("enabled") is True]
        ending = tuple(name for name in self._states if name in changed or name not in sections)
        return PluginChange(sections, ending, tuple(beginning))

    def use(self, change: PluginChange) -> None:
        """Ends and starts plug-ins; one that does not start is told."""
        with self._commands:
            self._restarting = bool(set(change.ending) & {plugin.name for plugin in change.beginning})
            for name in change.ending:
                self._end(name)
            self._sections = dict(change.sections)
            for plugin in change.beginning:
                self._start(plugin)
            self._restarting = False

    def states(self) -> tuple[PluginState, ...]:
        """Of those that were switched on, in the order in which they are asked."""
        times = {name: self._stats.percentiles_ms(f"plugin {name}") for name in tuple(self._states)}
        states = [replace(state, ms=times[name][0] if times.get(name) else None) for name, state in tuple(self._states.items())]  # type: ignore[index]
        return tuple(sorted(states, key=lambda state: (state.order, state.name)))

    def close(self) -> None:
        """Stops all of them."""
        self._closed = True
        for name in tuple(self._active):
            self._end(name)

    # what they are asked

    def on_motion(self, motion: MotionFrame) -> MotionFrame:
        """What the plug-ins make of a motion, one after the other."""
        for plugin in self.drawing:
            if "on_motion" in plugin.hooks:
                try:
                    motion = plugin.motion(motion, timed=self._alone(plugin))
                except InputError as error:
                    self._give_up(plugin, error)
        return motion

    def backdrop(self, avatar: Avatar) -> Backdrop | None:
        """The avatar before the background of the first plug-in that has one; None before its own.

        While that plug-in is started again, as for other settings, what it showed stays.
        """
        for plugin in self.drawing:
            if "on_background" in plugin.hooks:
                try:
                    backdrop = plugin.backdrop(avatar)
                except InputError as error:
                    self._give_up(plugin, error)
                else:
                    self._backdrop = avatar.id, backdrop
                    return backdrop
        avatar_id, backdrop = self._backdrop
        return backdrop if self._restarting and avatar_id == avatar.id else None

    def on_frame(self, picture: Picture) -> Picture:
        """What the plug-ins make of a picture, one after the other."""
        for plugin in self.drawing:
            if "on_frame" in plugin.hooks:
                try:
                    picture = plugin.picture(picture, timed=self._alone(plugin))
                except InputError as error:
                    self._give_up(plugin, error)
        return picture

    def on_sent(self, picture: Picture) -> None:
        """Lets the plug-ins have a picture that is sent."""
        for plugin in self.taking:
            try:
                plugin.take(picture)
            except InputError as error:
                self._give_up(plugin, error)

    def on_audio(self, block: Floats, time_s: float) -> None:
        """Lets the plug-ins hear a block of the microphone, or silence."""
        if self.muted:
            block = np.zeros_like(block)
        for plugin in self.hearing:
            try:
                plugin.hear(block, time_s)
            except InputError as error:
                self._give_up(plugin, error)

    def _alone(self, plugin: ActivePlugin) -> bool:
        """Whether no other plug-in is late: a loop in Python slows all that is Python down."""
        return not any(other.late for other in self.drawing if other is not plugin)

    # one plug-in

    def _loaded(self, name: str, section: Mapping[str, Any]) -> ActivePlugin:
        """A plug-in that is not started; raises ConfigError, InputError. Settings that it does not know are told and left out."""
        found = the_plugin(self._find(), name)
        worker = Worker(f"plugin {name}")
        try:
            work = worker.hand_over(found.load)
            if not self._wait(work, LONGEST_S):
                raise InputError(f"The plug-in {name!r} could not be loaded within {LONGEST_S:.0f} s.")
            if isinstance(work.error, HifiHeadError):
                raise work.error
            if work.error is not None:
                raise InputError(f"The plug-in {name!r} ended while it was loaded ({type(work.error).__name__}).")
            kind = work.result
            settings, notes = plugin_settings(settings_class(kind, name), section, name)
            plugin = ActivePlugin(name, kind, settings, worker, clock=self._clock, stats=self._stats)
        except BaseException:
            worker.abandon()
            raise
        for note in notes:
            self._messages.say(note)
        return plugin

    def _start(self, plugin: ActivePlugin) -> None:
        context: PluginContext[Any] = PluginContext(
            plugin.settings,
            self._size,
            self._fps,
            say=self._messages.say,
            now=self._clock.now,
            path=self._path,
            controls=replace(self._controls, subscribe=lambda listener: self._subscribe(plugin, listener)),
        )
        try:
            plugin.start(context, self._wait)
        except InputError as error:
            self._tell_off(plugin.name, error)
            plugin.stop(self._wait)
            return
        with self._changing:
            self._active[plugin.name] = plugin
            self._states[plugin.name] = PluginState(plugin.name, "on", order=plugin.order[0], budget_ms=plugin.budget_ms)
            self._arrange()

    def _end(self, name: str) -> None:
        with self._changing:
            plugin = self._active.pop(name, None)
            self._states.pop(name, None)
            self._arrange()
        if plugin is not None and (sentence := plugin.stop(Work.done)):
            self._messages.say(sentence)

    def _give_up(self, plugin: ActivePlugin, error: InputError) -> None:
        """Switches off, without waiting, one that did wrong."""
        with self._changing:
            if self._active.get(plugin.name) is not plugin:
                return
            del self._active[plugin.name]
            self._arrange()
        self._tell_off(plugin.name, error)
        threading.Thread(target=plugin.stop, args=(Work.done,), name=f"plugin {plugin.name} end", daemon=True).start()

    def _tell_off(self, name: str, error: HifiHeadError) -> None:
        if self._closed:  # that the session ends is no mistake of a plug-in
            return
        with self._changing:
            self._states[name] = PluginState(name, "off", str(error))
        self._messages.say(f"{error} It is switched off; the camera goes on.")

    def _arrange(self) -> None:
        """Puts those that are on into their order; the lock is held."""
        plugins = sorted(self._active.values(), key=lambda plugin: plugin.order)
        heard = bool(self.hearing)
        self.drawing = tuple(plugin for plugin in plugins if {"on_motion", "on_background", "on_frame"} & set(plugin.hooks))
        self.taking = tuple(plugin for plugin in plugins if "on_sent" in plugin.hooks)
        self.hearing = tuple(plugin for plugin in plugins if "on_audio" in plugin.hooks)
        if bool(self.hearing) != heard:
            self._hear(self.on_audio if self.hearing else None)

    def _path(self, name: str) -> Path:
        path = user_path(name)
        return path if self._config_path is None else self._config_path.parent / path

    def _subscribe(self, plugin: ActivePlugin, listener: Listener) -> Callable[[], None]:
        end = self._controls.subscribe(listener)
        plugin.at_end.append(end)
        return end

    def _wait(self, work: Work, seconds: float) -> bool:
        """Whether the work is done within the time, and before the session ends."""
        end_s = time.monotonic() + seconds
        while not self._closed and time.monotonic() < end_s:
            if work.done(SLICE_S):
                return True
        return False


def plugin_settings(model: type[PluginSettings], section: Mapping[str, Any], name: str) -> tuple[PluginSettings, list[str]]:
    """A plug-in's settings, and sentences about those of the section that it does not know; raises ConfigError."""
    place = f"plugins.{name}"
    unknown = [key for key in section if key not in model.model_fields]
    known = [f"{place}.{key}" for key in model.model_fields]
    notes = [f"{place}.{key} is not a setting; {nearest(f'{place}.{key}', known)} It is left out." for key in unknown]
    return check(model, {key: value for key, value in section.items() if key not in unknown}, "The settings", place), notes
