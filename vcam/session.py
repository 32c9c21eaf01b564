"""A session: everything that is open while the camera runs, or while files are rendered, and the commands to it."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import HifiHeadError, InputError
from engine.resource import Resource
from engine.values import Picture
from vcam import sinks
from vcam.avatars.avatar import Avatar
from vcam.avatars.pictures import refuse_unusable
from vcam.build import Builder
from vcam.config import Settings, changed_keys, is_live
from vcam.config_file import Changes, with_changes
from vcam.current_avatar import CurrentAvatar
from vcam.interfaces import Closable, PortraitAnimator, Sink
from vcam.pipeline.driving import DrivingStage
from vcam.pipeline.latest import LatestFrame
from vcam.pipeline.pacing import SinkLoop, wake_promptly
from vcam.pipeline.presence import ViewerPresence
from vcam.pipeline.resting import Resting, RestReason
from vcam.pipeline.threads import Pipeline
from vcam.plugins.host import PluginHost
from vcam.plugins.interface import Controls
from vcam.plugins.thread import PluginThread
from vcam.settings_change import LiveParts, change_settings
from vcam.snapshot import Listener, Notifier, Snapshot

NOBODY_WATCHES = "Nobody watches: the webcam is off, and the camera rests until somebody does."
NOT_STARTED = "The camera has not been started."
CLOSE_S = 1.0  # for the threads to end; one that is inside native code ends later, by itself


@dataclass(frozen=True)
class AppliedSettings:
    """What came of ``Session.update_settings``: names of settings, "section.key", sorted."""

    now: tuple[str, ...]
    at_next_start: tuple[str, ...]


class Session(Resource):
    """Owns cameras, tracker, regressor, engines, sinks and threads; everything that it opened is closed with it.

    Live: ``start``, then ``run`` on the main thread; commands may come from any thread.
    Files: ``open_avatar`` and ``builder``'s parts by ``own``, without threads; see ``vcam.offline``.
    """

    def __init__(self, builder: Builder, photo: Path | None = None) -> None:
        """``photo``: instead of the one that the settings name. Opens nothing."""
        self._builder = builder
        self._avatar = CurrentAvatar(builder, photo or builder.photo())
        self._governor, self._messages, self._clock = builder.governor, builder.messages, builder.clock
        self._closing = contextlib.ExitStack()
        self._commands = threading.RLock()  # one command at a time; the sinks' clock never waits for one
        self._notifier = Notifier(self.snapshot, self._messages)
        self._latest = LatestFrame(builder.size)
        self._sinks: list[Sink] = []
        self._loop: SinkLoop | None = None
        self._presence: ViewerPresence | None = None
        self._pipeline: Pipeline | None = None
        self._resting: Resting | None = None
        self._plugins: PluginHost | None = None
        self._closed = False
        self._end_wanted = threading.Event()
        self._told: tuple[object, ...] = ()  # what listeners last heard of

    # life

    def own(self, resource: Closable) -> None:
        """Closes ``resource`` with the session."""
        self._closing.callback(resource.close)

    def start(self) -> None:
        """Opens the sinks, sends a first picture, and starts everything else, which opens what is slow on threads.

        Raises InputError, DeviceError for what can be told at once; what fails later is raised by ``run``.
        """
        refuse_unusable(self.photo)
        loop = self._open_sinks()
        self._closing.callback(self._notifier.close)
        plugins = self._plugins = self._open_plugins()
        pipeline = self._pipeline = self._open_pipeline(plugins)
        self._resting = Resting(pipeline, loop, self._latest, clock=self._clock)
        self._closing.callback(self._close_pipeline)
        pipeline.start()

    def run(self, ended: threading.Event, *, frames: int | None = None, check: Callable[[], None] | None = None) -> None:
        """Sends pictures until ``ended`` is set, by others or by ``end``, or ``frames`` pictures of the avatar were sent; after
        ``start``.

        With ``frames`` the camera never rests. ``check`` is called after each picture. Raises what made a thread give up, and
        what a sink raises.
        """
        loop, pipeline, _ = self._started()
        if frames is None:
            self._presence = ViewerPresence(
                self._watched,
                rest=lambda: self._begin_rest("resting", NOBODY_WATCHES),
                wake=lambda: self._end_rest("resting", "Somebody watches: the webcam is on."),
                clock=self._clock,
            )
        started_s = self._clock.now()

        def raise_failure() -> None:
            if pipeline.failure is not None:
                raise pipeline.failure

        def after_each_picture() -> None:
            raise_failure()
            if loop.sent == 1:
                seconds = self._clock.now() - started_s
                self._messages.say_rarely("live", f"The avatar is live, {seconds:.1f} s after the start. Ctrl-C ends.")
            if loop.sent and self._presence is not None:
                self._presence.look(always_on=self.settings.output.always_on)
            self._tell_changes()
            if self._end_wanted.is_set():
                ended.set()
            if check is not None:
                check()

        wake_promptly()  # after the threads were started, which would inherit it
        loop.run(ended, frames=frames, check=after_each_picture)
        raise_failure()

    def close(self) -> None:
        """Ends the threads and closes everything; may be called more than once."""
        self._closed = True
        self._avatar.close()
        self._closing.close()

    # commands

    @property
    def settings(self) -> Settings:
        """Those in force."""
        return self._builder.settings

    @property
    def photo(self) -> Path:
        """The photograph of the present avatar, or of the first one until that is prepared."""
        return self._avatar.photo

    @property
    def sent(self) -> int:
        """Pictures of the avatar sent so far, repetitions included."""
        return self._loop.sent if self._loop else 0

    @property
    def drawn(self) -> int:
        """Pictures drawn so far."""
        return self._latest.drawn

    def set_avatar(self, photo: Path) -> None:
        """Prepares a photograph, about a second, and cross-fades to it. Raises InputError when it cannot become an avatar: the
        present one stays."""
        with self._commands:
            parts = self._live()
            parts.avatar.replace(parts.avatar.prepare(self._builder, photo), parts.pipeline)
        self._notifier.changed()

    def update_settings(self, changes: Changes, name: str = "The change") -> AppliedSettings:
        """Changes settings while the camera runs; ``name`` stands for where they come from in messages.

        What is not live is left for the next start. Raises ConfigError, InputError, AssetError, DeviceError when any of the
        changes is wrong or cannot be carried out: then all stay as they were.
        """
        with self._commands:
            wanted = with_changes(self.settings, changes, name)
            changed = changed_keys(self.settings, wanted)
            now = frozenset(key for key in changed if is_live(key))
            later = changed - now
            live = {
                section: {key: value for key, value in keys.items() if f"{section}.{key}" in now}
                for section, keys in changes.items()
            }
            builder = self._builder.with_settings(with_changes(self.settings, live, name))
            if now:
                change_settings(self._live(), builder, now)
                self._builder = builder
        self._notifier.changed()
        return AppliedSettings(tuple(sorted(now)), tuple(sorted(later)))

    def recalibrate(self) -> None:
        """Takes the driver's next face as the one at rest; raises InputError where nobody moves the avatar, or nobody is seen."""
        with self._commands:
            pipeline = self._calibrated()
            source = pipeline.source

            def both() -> None:
                source.recalibrate()
                pipeline.driving.recalibrate()

            pipeline.motion.call(both)

    def play(self, number: int) -> None:
        """Plays a recording of ``streams.one_shots`` once, over every other source; they count from 1. Raises InputError."""
        with self._commands:
            pipeline = self._live().pipeline
            names = self.settings.streams.one_shots
            if not 1 <= number <= len(names):
                raise InputError(f"There is no one-shot {number}; there are {len(names)} in streams.one_shots.")
            one_shot = self._builder.open_one_shot(names[number - 1])
            pipeline.motion.call(lambda: pipeline.source.play(one_shot)).result()

    def look(self, x: float, y: float) -> None:
        """A dot of the gaze's calibration is shown, in this direction of the driver (``vcam.drive.gaze.GazeCalibration.look``).
        Raises InputError where nobody moves the avatar, or nobody is seen."""
        with self._commands:
            pipeline = self._calibrated()
            pipeline.motion.call(lambda: pipeline.driving.look(x, y)).result()

    def finish_gaze(self) -> None:
        """After the last dot: from now on the gaze is corrected. Raises InputError when the eyes did not follow."""
        with self._commands:
            pipeline = self._calibrated()
            source = pipeline.source.name
            off_deg = pipeline.motion.call(lambda: pipeline.driving.finish_gaze(source)).result()
        self._messages.say(f"Your gaze is calibrated, to {off_deg:.1f}° from the dots.")

    def pause(self) -> None:
        """Gives the webcam back; the last picture stays until ``resume``."""
        self._begin_rest("paused", "Paused: the webcam is off.")

    def resume(self) -> None:
        """Ends ``pause``."""
        self._end_rest("paused", "Resumed.")

    def card(self, shown: bool) -> None:
        """Shows the card instead of the avatar from the next picture on, or the avatar again."""
        self._latest.card_shown = shown
        self._notifier.changed()

    def switch_plugin(self, name: str, on: bool) -> None:
        """Switches a plug-in on or off, with the settings that it has, until the session ends or they change.

        Raises ConfigError, InputError when it cannot be switched on.
        """
        with self._commands:
            section = self.settings.plugins.sections().get(name, {})
            self.update_settings({"plugins": {name: {**section, "enabled": on}}})

    def mute(self, muted: bool) -> None:
        """Lets plug-ins hear silence from the next block of sound on, or the microphone again."""
        if self._plugins is None:
            raise HifiHeadError(NOT_STARTED)
        self._plugins.muted = muted
        self._notifier.changed()

    def end(self) -> None:
        """Lets ``run`` return, as Ctrl-C does."""
        self._end_wanted.set()

    def snapshot(self) -> Snapshot:
        """The state at this moment; may be asked for at any time, from any thread."""
        loop, pipeline, builder = self._loop, self._pipeline, self._builder
        newest = loop.newest if loop else None
        latency = builder.stats.percentiles_ms("latency")
        state = "ended" if self._closed else newest.state if newest else "starting"
        rests = self._resting.reasons if self._resting else frozenset()
        return Snapshot(
            state,
            avatar=Path(newest.avatar).name if newest else "",
            source=pipeline.source.name if pipeline else "",
            sources=pipeline.source.states() if pipeline else {},
            follows=pipeline.source.follows if pipeline else False,
            fps=round(loop.rate.per_second(), 1) if loop else 0.0,
            latency_ms=latency[0] if latency else None,
            quality=self._governor.level.name,
            engine=newest.engine if newest else "",
            sinks=tuple(sink.name for sink in self._sinks),
            motion_sinks=pipeline.motion_sinks.names if pipeline else (),
            watched="resting" not in rests,
            paused="paused" in rests,
            card=self._latest.card_shown,
            muted=self._plugins.muted if self._plugins else False,
            message=self._messages.last,
            stages=builder.stats.table(),
            plugins=self._plugins.states() if self._plugins else (),
        )

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls ``listener`` with a snapshot now and after every change, on a thread for that; returns what ends it."""
        return self._notifier.subscribe(listener)

    @property
    def controls(self) -> Controls:
        """What plug-ins may ask of the session."""
        return Controls(
            self.set_avatar,
            self.update_settings,
            self.recalibrate,
            self.pause,
            self.resume,
            self.card,
            self.mute,
            self.switch_plugin,
            self.snapshot,
            self.subscribe,
        )

    # work on files

    def open_avatar(self) -> tuple[PortraitAnimator, Avatar]:
        """The animator, closed with the session, and the photograph prepared for it. For work without threads.

        Raises InputError, AssetError, ConfigError.
        """
        refuse_unusable(self.photo)
        builder = self._builder
        with builder.reading(self.photo):
            animator = builder.open_animator()
            self.own(animator)
            return animator, builder.prepare_avatar(animator, self.photo, builder.size)

    @property
    def builder(self) -> Builder:
        """Opens parts by the settings in force."""
        return self._builder

    # parts

    def _started(self) -> tuple[SinkLoop, Pipeline, Resting]:
        if self._loop is None or self._pipeline is None or self._resting is None:
            raise HifiHeadError(NOT_STARTED)
        return self._loop, self._pipeline, self._resting

    def _live(self) -> LiveParts:
        """The parts that commands change, once they are open; raises HifiHeadError when they never will be."""
        if self._loop is None:
            raise HifiHeadError(NOT_STARTED)
        if not self._avatar.wait() or self._closed or self._pipeline is None or self._plugins is None:
            raise HifiHeadError("The program is ending.")
        return LiveParts(self._pipeline, self._avatar, self._sinks, self._plugins)

    def _calibrated(self) -> Pipeline:
        """The pipeline, whose parts calibrations change; raises InputError where nobody moves the avatar, or nobody is seen."""
        pipeline, (_, _, resting) = self._live().pipeline, self._started()
        if not pipeline.source.follows:
            raise InputError(f"There is nobody to calibrate to: the {pipeline.source.name} moves the avatar.")
        if resting.reasons or not pipeline.driving.driver_seen:
            raise InputError("There is nobody to calibrate to: no face is seen. Look into the webcam, then try again.")
        return pipeline

    def _open_sinks(self) -> SinkLoop:
        """Their clock; a first picture is sent as soon as one of them is open."""
        builder, output = self._builder, self._builder.settings.output
        loop = self._loop = SinkLoop(
            self._latest,
            self._sinks,
            builder.sink_fps,
            clock=self._clock,
            stats=builder.stats,
            on_failure=self._sink_failed,
            on_sent=self._hand_to_plugins,
        )
        for name, argument, required in sinks.resolve(output.sink, output.camera_name):
            sink = builder.open_sink(self, name, argument, required=required)
            self.own(sink)
            self._sinks.append(sink)
            if len(self._sinks) == 1:
                loop.tick()
        return loop

    def _open_plugins(self) -> PluginHost:
        """Lets the plug-ins that are on be loaded and started, on a thread."""
        plugins = self._builder.open_plugins(self.controls)
        thread = PluginThread(plugins)
        self.own(thread)
        thread.start(self._builder.settings.plugins.sections())
        return plugins

    def _open_pipeline(self, plugins: PluginHost) -> Pipeline:
        builder = self._builder
        motion_sinks = builder.open_motion_sinks()
        try:
            source = builder.open_sources()
        except BaseException:
            motion_sinks.close()
            raise
        driving = DrivingStage(
            builder.drive_options(),
            clock=self._clock,
            messages=self._messages,
            stats=builder.stats,
            memory=builder.open_rest_memory(),
        )
        pipeline = Pipeline(
            source,
            driving,
            motion_sinks,
            lambda: self._avatar.open_rendering(pipeline, plugins),
            self._avatar.close_animator,
            latest=self._latest,
            clock=self._clock,
            messages=self._messages,
            governor=self._governor,
            fps=builder.settings.output.fps,
        )
        return pipeline

    def _close_pipeline(self) -> None:
        if self._pipeline is not None and not self._pipeline.close(CLOSE_S):
            logging.getLogger(__name__).warning("a thread is still inside native code; it closes what it opened when it returns")

    def _sink_failed(self, sink: Sink, error: HifiHeadError) -> None:
        """As long as there is another, the camera goes on without it."""
        if len(self._sinks) == 1:
            raise error
        self._sinks.remove(sink)
        self._messages.say(f"{error} The camera goes on without it.")
        self._messages.attempt("sink", f"Closing {sink.name}", sink.close)

    def _watched(self) -> bool:
        plugins_take = self._plugins is not None and bool(self._plugins.taking)
        return plugins_take or any(sink.watched() for sink in self._sinks)

    def _hand_to_plugins(self, picture: Picture) -> None:
        if self._plugins is not None:
            self._plugins.on_sent(picture)

    def _begin_rest(self, reason: RestReason, sentence: str) -> None:
        _, _, resting = self._started()
        resting.begin(reason, lambda: self._tell(sentence))

    def _end_rest(self, reason: RestReason, sentence: str) -> None:
        _, _, resting = self._started()
        resting.end(reason, lambda: self._tell(sentence))

    def _tell(self, sentence: str) -> None:
        self._messages.say(sentence)
        self._notifier.changed()

    def _tell_changes(self) -> None:
        """Notices what changed without a command."""
        newest = self._loop.newest if self._loop else None
        now = (
            newest.state if newest else "",
            newest.avatar if newest else "",
            newest.engine if newest else "",
            self._pipeline.source.name if self._pipeline else "",
            self._governor.level.name,
            self._messages.last,
        )
        if now != self._told:
            self._told = now
            self._notifier.changed()
