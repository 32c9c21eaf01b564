"""A session: everything that is open while the camera runs, or while files are rendered, and the commands to it."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import HifiHeadError, InputError
from engine.picture import refuse_unreadable
from engine.resource import Resource
from vcam import sinks
from vcam.avatars.avatar import Avatar
from vcam.build import Builder
from vcam.config import Settings, changed_keys, is_live
from vcam.config_file import Changes, with_changes
from vcam.interfaces import Closable, Configurable, PortraitAnimator, Sink
from vcam.pipeline.driving import DrivingStage
from vcam.pipeline.latest import LatestFrame
from vcam.pipeline.pacing import SinkLoop, wake_promptly
from vcam.pipeline.presence import ViewerPresence
from vcam.pipeline.rendering import RenderStage
from vcam.pipeline.threads import Pipeline
from vcam.plugins.host import PluginChange, PluginHost
from vcam.plugins.interface import Controls
from vcam.plugins.report import report_states
from vcam.snapshot import Listener, Notifier, Snapshot

if TYPE_CHECKING:
    from vcam.motion_sinks.group import MotionSinks
    from vcam.sources.priority import PrioritizedSources
    from vcam.sources.tracking import FaceRegressor

NOBODY_WATCHES = "Nobody watches: the webcam is off, and the camera rests until somebody does."
COMPILING = "Compiling for this processor, once: the avatar comes in about a quarter of a minute, until then a card is shown."
NOT_STARTED = "The camera has not been started."
CLOSE_S = 1.0  # for the threads to end; one that is inside native code ends later, by itself


@dataclass(frozen=True)
class AppliedSettings:
    """What came of ``Session.update_settings``: names of settings, "section.key", sorted."""

    now: tuple[str, ...]
    at_next_start: tuple[str, ...]


@dataclass(frozen=True)
class SettingsChange:
    """What was opened for changed settings; None = the present one stays. ``animator`` and ``photo`` may be the present ones."""

    source: PrioritizedSources | None
    motion_sinks: MotionSinks | None
    regressor: FaceRegressor | None
    animator: PortraitAnimator
    avatar: Avatar | None
    photo: Path
    plugins: PluginChange | None


class Session(Resource):
    """Owns cameras, tracker, regressor, engines, sinks and threads; everything that it opened is closed with it.

    Live: ``start``, then ``run`` on the main thread; commands may come from any thread.
    Files: ``open_avatar`` and ``builder``'s parts by ``own``, without threads; see ``vcam.offline``.
    """

    def __init__(self, builder: Builder, photo: Path | None = None) -> None:
        """``photo``: instead of the one that the settings name. Opens nothing."""
        self._builder = builder
        self._photo = photo or builder.photo()
        self._governor, self._messages, self._clock = builder.governor, builder.messages, builder.clock
        self._closing = contextlib.ExitStack()
        self._commands = threading.RLock()  # one command at a time; the sinks' clock never waits for one
        self._resting = threading.Lock()
        self._notifier = Notifier(self.snapshot, self._messages)
        self._latest = LatestFrame(builder.size)
        self._sinks: list[Sink] = []
        self._loop: SinkLoop | None = None
        self._presence: ViewerPresence | None = None
        self._pipeline: Pipeline | None = None
        self._driving: DrivingStage | None = None
        self._rendering: RenderStage | None = None
        self._animator: PortraitAnimator | None = None
        self._plugins: PluginHost | None = None
        self._refining = ThreadPoolExecutor(1, "refining")  # its thread starts with the first work
        self._closing.callback(lambda: self._refining.shutdown(wait=False, cancel_futures=True))
        self._opened = threading.Event()  # the first avatar was prepared, or never will be
        self._closed = False
        self._rests: set[str] = set()  # why no new pictures are made: "resting", "paused"
        self._told: tuple[object, ...] = ()  # what listeners last heard of

    # life

    def own(self, resource: Closable) -> None:
        """Closes ``resource`` with the session."""
        self._closing.callback(resource.close)

    def start(self) -> None:
        """Opens the sinks, sends a first picture, and starts everything else, which opens what is slow on threads.

        Raises InputError, DeviceError for what can be told at once; what fails later is raised by ``run``.
        """
        builder, output = self._builder, self._builder.settings.output
        refuse_unreadable(self._photo)
        self._loop = SinkLoop(
            self._latest, self._sinks, builder.sink_fps, clock=self._clock, stats=builder.stats, on_failure=self._sink_failed
        )
        for name, argument, required in sinks.resolve(output.sink, output.camera_name):
            sink = builder.open_sink(self, name, argument, required=required)
            self.own(sink)
            self._sinks.append(sink)
            if len(self._sinks) == 1:
                self._loop.tick()
        self._closing.callback(self._notifier.close)
        self._open_plugins()
        motion_sinks = builder.open_motion_sinks()
        try:
            source = builder.open_sources()
        except BaseException:
            motion_sinks.close()
            raise
        self._driving = DrivingStage(
            builder.drive_options(),
            clock=self._clock,
            messages=self._messages,
            stats=builder.stats,
            memory=builder.open_rest_memory(),
        )
        self._pipeline = Pipeline(
            source,
            self._driving,
            motion_sinks,
            self._open_rendering,
            self._close_animator,
            latest=self._latest,
            clock=self._clock,
            messages=self._messages,
            governor=self._governor,
            fps=output.fps,
        )
        self._closing.callback(self._close_pipeline)
        self._pipeline.start()

    def run(self, ended: threading.Event, *, frames: int | None = None, check: Callable[[], None] | None = None) -> None:
        """Sends pictures until ``ended`` is set or ``frames`` pictures of the avatar were sent; after ``start``.

        With ``frames`` the camera never rests. ``check`` is called after each picture. Raises what made a thread give up, and
        what a sink raises.
        """
        loop, pipeline = self._started()
        if frames is None:
            self._presence = ViewerPresence(
                self._watched,
                rest=lambda: self._rest("resting", NOBODY_WATCHES),
                wake=lambda: self._wake("resting", "Somebody watches: the webcam is on."),
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
            if check is not None:
                check()

        wake_promptly()  # after the threads were started, which would inherit it
        loop.run(ended, frames=frames, check=after_each_picture)
        raise_failure()

    def close(self) -> None:
        """Ends the threads and closes everything; may be called more than once."""
        self._closed = True
        self._opened.set()
        self._closing.close()

    # commands

    @property
    def settings(self) -> Settings:
        """Those in force."""
        return self._builder.settings

    @property
    def photo(self) -> Path:
        """The photograph of the present avatar, or of the first one until that is prepared."""
        return self._photo

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
            *_, animator = self._live()
            self._show(self._replacement(self._builder, animator, photo), animator)
            self._photo = photo
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
                self._apply(builder, {key.split(".")[0] for key in now}, now)
                self._builder = builder
        self._notifier.changed()
        return AppliedSettings(tuple(sorted(now)), tuple(sorted(later)))

    def recalibrate(self) -> None:
        """Takes the driver's next face as the one at rest; raises InputError where nobody moves the avatar, or nobody is seen."""
        with self._commands:
            pipeline, driving = self._calibrated()
            source = pipeline.source

            def both() -> None:
                source.recalibrate()
                driving.recalibrate()

            pipeline.motion.call(both)

    def play(self, number: int) -> None:
        """Plays a recording of ``streams.one_shots`` once, over every other source; they count from 1. Raises InputError."""
        with self._commands:
            pipeline, *_ = self._live()
            names = self.settings.streams.one_shots
            if not 1 <= number <= len(names):
                raise InputError(f"There is no one-shot {number}; there are {len(names)} in streams.one_shots.")
            one_shot = self._builder.open_one_shot(names[number - 1])
            pipeline.motion.call(lambda: pipeline.source.play(one_shot)).result()

    def look(self, x: float, y: float) -> None:
        """A dot of the gaze's calibration is shown, in this direction of the driver (``vcam.drive.gaze.GazeCalibration.look``).
        Raises InputError where nobody moves the avatar, or nobody is seen."""
        with self._commands:
            pipeline, driving = self._calibrated()
            pipeline.motion.call(lambda: driving.look(x, y)).result()

    def finish_gaze(self) -> None:
        """After the last dot: from now on the gaze is corrected. Raises InputError when the eyes did not follow."""
        with self._commands:
            pipeline, driving = self._calibrated()
            source = pipeline.source.name
            off_deg = pipeline.motion.call(lambda: driving.finish_gaze(source)).result()
        self._messages.say(f"Your gaze is calibrated, to {off_deg:.1f}° from the dots.")

    def pause(self) -> None:
        """Gives the webcam back; the last picture stays until ``resume``."""
        self._rest("paused", "Paused: the webcam is off.")

    def resume(self) -> None:
        """Ends ``pause``."""
        self._wake("paused", "Resumed.")

    def card(self, shown: bool) -> None:
        """Shows the card instead of the avatar from the next picture on, or the avatar again."""
        self._latest.card_shown = shown
        self._notifier.changed()

    def snapshot(self) -> Snapshot:
        """The state at this moment; may be asked for at any time, from any thread."""
        loop, pipeline, builder = self._loop, self._pipeline, self._builder
        newest = loop.newest if loop else None
        latency = builder.stats.percentiles_ms("latency")
        state = "ended" if self._closed else newest.state if newest else "starting"
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
            watched="resting" not in self._rests,
            paused="paused" in self._rests,
            card=self._latest.card_shown,
            message=self._messages.last,
            stages=builder.stats.table(),
            plugins=self._plugins.states() if self._plugins else (),
        )

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls ``listener`` with a snapshot now and after every change, on a thread for that; returns what ends it."""
        return self._notifier.subscribe(listener)

    # work on files

    def open_avatar(self) -> tuple[PortraitAnimator, Avatar]:
        """The animator, closed with the session, and the photograph prepared for it. For work without threads.

        Raises InputError, AssetError, ConfigError.
        """
        refuse_unreadable(self._photo)
        builder = self._builder
        with builder.reading(self._photo):
            self._animator = builder.open_animator()
            self._closing.callback(self._close_animator)
            return self._animator, builder.prepare_avatar(self._animator, self._photo, builder.size)

    @property
    def builder(self) -> Builder:
        """Opens parts by the settings in force."""
        return self._builder

    # parts

    def _started(self) -> tuple[SinkLoop, Pipeline]:
        if self._loop is None or self._pipeline is None:
            raise HifiHeadError(NOT_STARTED)
        return self._loop, self._pipeline

    def _live(self) -> tuple[Pipeline, DrivingStage, RenderStage, PortraitAnimator]:
        """The parts that commands change, once they are open; raises HifiHeadError when they never will be."""
        if self._loop is None:
            raise HifiHeadError(NOT_STARTED)
        self._opened.wait()
        if self._closed or self._pipeline is None or self._driving is None or self._rendering is None or self._animator is None:
            raise HifiHeadError("The program is ending.")
        return self._pipeline, self._driving, self._rendering, self._animator

    def _open_plugins(self) -> None:
        """Lets the plug-ins that are on be loaded and started, on a thread: it may take long."""
        controls = Controls(
            self.set_avatar,
            self.update_settings,
            self.recalibrate,
            self.pause,
            self.resume,
            self.card,
            self.snapshot,
            self.subscribe,
        )
        self._plugins = plugins = self._builder.open_plugins(controls)
        sections = self._builder.settings.plugins.sections()
        ended = threading.Event()

        def begin() -> None:
            plugins.begin(sections)
            report_states(plugins.states, ended, self._messages)

        thread = threading.Thread(target=begin, name="plugins")
        thread.start()
        self._closing.callback(thread.join)
        self._closing.callback(plugins.close)
        self._closing.callback(ended.set)

    def _calibrated(self) -> tuple[Pipeline, DrivingStage]:
        """The parts that calibrations change; raises InputError where nobody moves the avatar, or nobody is seen."""
        pipeline, driving, _, _ = self._live()
        if not pipeline.source.follows:
            raise InputError(f"There is nobody to calibrate to: the {pipeline.source.name} moves the avatar.")
        if self._rests or not driving.driver_seen:
            raise InputError("There is nobody to calibrate to: no face is seen. Look into the webcam, then try again.")
        return pipeline, driving

    def _open_rendering(self) -> RenderStage:
        """On the render thread: the engine, and the first avatar."""
        try:
            from engine.compilation import compilation_told  # here, because numba takes a quarter of a second to import

            builder = self._builder
            with builder.reading(self._photo), compilation_told(lambda: self._messages.say(COMPILING)):
                self._animator = animator = builder.open_animator()
                avatar = self._prepared(builder, animator, self._photo)
            rendering = RenderStage(
                animator, builder.size, clock=self._clock, messages=self._messages, stats=builder.stats, hooks=self._plugins
            )
            rendering.add(avatar)
            _, pipeline = self._started()
            driving = self._driving
            if driving is not None:
                pipeline.motion.call(lambda: driving.use(avatar.id, avatar.coefficients, avatar.name))
            self._rendering = rendering
            self._refine(avatar, rendering)
            return rendering
        finally:
            self._opened.set()

    def _prepared(self, builder: Builder, animator: PortraitAnimator, photo: Path) -> Avatar:
        """An avatar; what is to be said about its photograph is said."""
        avatar = builder.prepare_avatar(animator, photo, builder.size)
        for note in avatar.notes:
            self._messages.say(note)
        return avatar

    def _replacement(self, builder: Builder, animator: PortraitAnimator, photo: Path) -> Avatar:
        """An avatar that takes the place of the present one, which does less meanwhile on a busy machine; progress is said."""
        self._messages.say(f"Preparing {photo.name}.")
        with self._governor.yielding():
            return self._prepared(builder, animator, photo)

    def _close_animator(self) -> None:
        animator, self._animator = self._animator, None
        if animator is not None:
            animator.close()

    def _close_pipeline(self) -> None:
        if self._pipeline is not None and not self._pipeline.close(CLOSE_S):
            logging.getLogger(__name__).warning("a thread is still inside native code; it closes what it opened when it returns")

    def _apply(self, builder: Builder, sections: set[str], keys: frozenset[str]) -> None:
        """Opens what the changed settings need, then puts all of it in place; raises before anything is changed."""
        with contextlib.ExitStack() as opened:
            change = self._open_change(builder, sections, keys, opened)
            # whatever could be refused is open; what follows fails only when the session ends meanwhile
            self._put_in_place(builder, sections, change)
            opened.pop_all()

    def _open_change(
        self, builder: Builder, sections: set[str], keys: frozenset[str], opened: contextlib.ExitStack
    ) -> SettingsChange:
        """The parts that changed settings need, all of them registered in ``opened``."""
        *_, animator = self._live()
        source = motion_sinks = regressor = avatar = plugins = None
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
        photo = builder.photo() if "avatar" in sections else self._photo
        if {"avatar", "runtime"} & sections:
            avatar = self._replacement(builder, animator, photo)
        if "plugins" in sections and self._plugins is not None:
            plugins = self._plugins.prepare(builder.settings.plugins.sections())
            opened.callback(plugins.close)
        return SettingsChange(source, motion_sinks, regressor, animator, avatar, photo, plugins)

    def _put_in_place(self, builder: Builder, sections: set[str], change: SettingsChange) -> None:
        pipeline, driving, _, present = self._live()
        if change.source is not None:
            pipeline.change_source(change.source)
        if change.motion_sinks is not None:
            pipeline.change_motion_sinks(change.motion_sinks)
        if (regressor := change.regressor) is not None:
            pipeline.motion.call(lambda: pipeline.source.use_regressor(regressor)).result().close()
        if change.avatar is not None:
            self._show(change.avatar, change.animator)
            self._photo = change.photo
        if change.animator is not present:
            self._animator = change.animator
            present.close()
        if "drive" in sections:
            options = builder.drive_options()
            pipeline.motion.call(lambda: driving.configure(options)).result()
        for sink in self._sinks:
            if isinstance(sink, Configurable):
                sink.configure(builder.settings)
        if change.plugins is not None and self._plugins is not None:
            self._plugins.use(change.plugins)

    def _show(self, avatar: Avatar, animator: PortraitAnimator) -> None:
        """Lets an avatar that ``animator`` prepared take the place of the present one."""
        pipeline, driving, rendering, present = self._live()

        def render() -> None:
            if animator is present:
                rendering.add(avatar)
            else:
                rendering.use_animator(animator, avatar)

        pipeline.render.call(render).result()
        pipeline.motion.call(lambda: driving.use(avatar.id, avatar.coefficients, avatar.name)).result()
        self._messages.say(f"The avatar is {Path(avatar.name).name}.")
        self._refine(avatar, rendering)

    def _refine(self, avatar: Avatar, rendering: RenderStage) -> None:
        """On a thread, which takes seconds: makes what is better of an avatar that is shown already, and lets it be drawn."""
        refine, (_, pipeline) = avatar.refine, self._started()
        if refine is None:
            return

        def work() -> None:
            source = self._messages.attempt("refining", "Filling in the background behind the person", refine)
            if source is not None:
                pipeline.render.call(lambda: rendering.refine(avatar.id, source))

        with contextlib.suppress(RuntimeError):  # the program is ending
            self._refining.submit(work)

    def _sink_failed(self, sink: Sink, error: HifiHeadError) -> None:
        """As long as there is another, the camera goes on without it."""
        if len(self._sinks) == 1:
            raise error
        self._sinks.remove(sink)
        self._messages.say(f"{error} The camera goes on without it.")
        self._messages.attempt("sink", f"Closing {sink.name}", sink.close)

    def _watched(self) -> bool:
        return any(sink.watched() for sink in self._sinks)

    def _rest(self, reason: str, sentence: str) -> None:
        with self._resting:
            _, pipeline = self._started()
            if reason in self._rests:
                return
            self._rests.add(reason)
            pipeline.rest()
            self._show_rest()
            self._messages.say(sentence)

    def _wake(self, reason: str, sentence: str) -> None:
        with self._resting:
            _, pipeline = self._started()
            if reason not in self._rests:
                return
            self._rests.discard(reason)
            self._show_rest()
            if not self._rests:
                self._latest.wake(self._clock.now())
                pipeline.wake()
            self._messages.say(sentence)

    def _show_rest(self) -> None:
        """Tells the sinks' clock and the latest frame why no new pictures come."""
        loop, _ = self._started()
        loop.resting = "resting" in self._rests
        if self._rests:
            self._latest.rest("paused" if "paused" in self._rests else "resting")
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
