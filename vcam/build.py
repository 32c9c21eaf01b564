"""Opening the parts of a session from its settings. Each heavy library is imported only when its part is opened: the first
picture leaves before any of them is loaded."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

import numpy as np

from engine.errors import AssetError
from engine.process import memory_is_limited, refuse_limited_memory, user_folder
from vcam import sinks, sources
from vcam.avatars.avatar import Avatar, photo_path
from vcam.avatars.pictures import pictures_of
from vcam.clock import SystemClock
from vcam.config import DriveSettings, Settings
from vcam.drive import DriveOptions, Gains, IdleLife, Limits, Smoothing
from vcam.files import model_folder, named_path
from vcam.interfaces import Clock, MotionSource, PortraitAnimator, Sink
from vcam.messages import Messages, say_on_stderr
from vcam.motion import Priority
from vcam.pipeline.governor import Governor
from vcam.plugins.host import PluginHost
from vcam.plugins.interface import Controls
from vcam.plugins.microphone import Hearing, Microphone
from vcam.stats import Stats

if TYPE_CHECKING:
    from engine.animator import PreparedPortrait
    from engine.portrait import Portrait
    from engine.values import Picture
    from vcam.avatars.compose import Composer
    from vcam.avatars.cutout import Cutout
    from vcam.drive.memory import RestMemory
    from vcam.motion_sinks.group import MotionSinks
    from vcam.session import Session
    from vcam.sources.priority import PrioritizedSources
    from vcam.sources.recording import RecordingSource
    from vcam.sources.tracking import Camera, FaceRegressor, FaceTracker, TrackedCamera, TrackingStage

T = TypeVar("T")
CERTAIN = 3  # a third of the photograph's coarse matte is enough for what the crop's own says


class Builder:
    """Opens parts; whoever asks for one closes it. Tests replace single methods.

    config_path   the settings file, at whose folder relative paths start; None = the working folder
    reproducible  whether the engine that is opened first runs to the end, so that the same input gives the same pictures
    governor      of the session that the parts are for
    """

    def __init__(
        self,
        settings: Settings,
        config_path: Path | None = None,
        *,
        clock: Clock | None = None,
        messages: Messages | None = None,
        reproducible: bool = False,
    ) -> None:
        self.settings, self.config_path, self.reproducible = settings, config_path, reproducible
        self.clock = clock or SystemClock()
        self.messages = messages or Messages(say_on_stderr, self.clock)
        self.stats = Stats()
        self._reading: Future[Portrait] | None = None
        self.governor = Governor(self.clock, lambda sentence: self.messages.say_rarely("quality", sentence))

    def with_settings(self, settings: Settings) -> Self:
        """The same builder for other settings."""
        other = copy.copy(self)
        other.settings = settings
        return other

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the output."""
        return self.settings.output.width_px, self.settings.output.height_px

    @property
    def sink_fps(self) -> int:
        """Pictures sent per second."""
        return self.settings.output.fps

    def photo(self) -> Path:
        """The photograph that the settings name."""
        return photo_path(self.settings.avatar.photo, self.config_path)

    def open_animator(self, *, strict: bool = False) -> PortraitAnimator:
        """An animator for 512² pictures. Of more than two CPUs it leaves one to the tracker (docs/performance.md).

        When the user's own generator is refused, the one that ships is taken and that is said, or ``strict`` and AssetError
        raised. Raises AssetError, ConfigError.
        """
        refuse_limited_memory()
        from engine.animator import Animator
        from engine.runtime import available_threads

        cpus = available_threads()
        threads = max(min(2, cpus), cpus - 1)
        engine, say = self.settings.runtime.engine, self.messages.say

        def open_named(bundle: Path) -> Animator:
            return Animator(engine, threads, say, bundle, fixed=self.reproducible)

        def open_shipped() -> Animator:
            return Animator(engine, threads, say, fixed=self.reproducible)

        folder = model_folder(self.settings.runtime.bundle, self.config_path)
        return self._opened(folder, open_named, open_shipped, "generator", strict=strict)

    @contextmanager
    def reading(self, photo: Path) -> Iterator[None]:
        """While an animator is opened, another thread reads the photograph of the next ``prepare_avatar``: a quarter of a second
        less at the start. Not where memory is limited: an import that fails on one thread is told wrongly on the other."""
        if memory_is_limited():
            yield
            return

        def read() -> Portrait:
            from engine.portrait import load_portrait

            return load_portrait(pictures_of(photo)[0])

        with ThreadPoolExecutor(1, "portrait") as pool:
            self._reading = pool.submit(read)
            try:
                yield
            finally:
                self._reading = None

    def prepare_avatar(self, animator: PortraitAnimator, photo: Path, size: tuple[int, int]) -> Avatar:
        """Reads and prepares a photograph for an output of ``size``; raises InputError when it cannot become an avatar.

        Its plate is smooth at first, unless a textured one was kept, and of a folder the first picture is shown alone, unless the
        pictures must be reproducible.
        """
        from engine.animator import Animator
        from engine.photographs.selection import select
        from engine.plate import PlateStore
        from engine.portrait import load_portrait, with_plate
        from vcam.avatars.compose import Composer

        assert isinstance(animator, Animator)  # noqa: S101 — ``open_animator`` gave it
        first, *further = pictures_of(photo)
        portrait, plates = self._reading.result() if self._reading else load_portrait(first), PlateStore()
        plate = plates.find(portrait.crop, portrait.matte)
        if plate is None and self.reproducible:
            plate = plates.make(portrait.crop, portrait.matte)
        shown = portrait if plate is None else with_plate(portrait, plate)
        alone = animator.prepare(shown)

        @functools.cache
        def together() -> PreparedPortrait:
            selection = select(alone.fit, portrait, further)
            for sentence in selection.left_out:
                self.messages.say(sentence)
            return alone.with_photographs(portrait.crop, [one.fitted for one in selection.chosen])

        source = together() if self.reproducible and further else alone
        composer = Composer(portrait.photo, portrait.square, size)

        def refine() -> PreparedPortrait:
            better = together() if further else source
            if plate is not None:
                return better
            finer = with_plate(portrait, plates.make(portrait.crop, portrait.matte))
            return replace(better, network=better.network.with_layers(finer.foreground, finer.matte, finer.plate))

        return Avatar(
            str(photo),
            source,
            source.coefficients,
            composer,
            portrait.notes,
            functools.cache(lambda: cut_out(shown, together() if further else source, composer)),
            refine=refine if plate is None or (source is alone and further) else None,
        )

    def open_tracker(self) -> FaceTracker:
        """A tracker for frames in order."""
        from engine.track import Tracker

        return Tracker("video")

    def open_regressor(self, *, strict: bool = False) -> FaceRegressor:
        """What reads coefficients off a tracked face. A network of the user's is treated as ``open_animator`` treats a generator.

        Raises AssetError, ConfigError.
        """
        from engine.head import load_head
        from engine.regress import open_regressor

        name, engine = self.settings.tracking.regressor, self.settings.runtime.engine

        def open_named(network: Path | None) -> FaceRegressor:
            return open_regressor(name, load_head(), engine, network, fixed=self.reproducible)

        folder = model_folder(self.settings.tracking.network, self.config_path)
        return self._opened(folder, open_named, lambda: open_named(None), "network", strict=strict)

    def tracking(self) -> TrackingStage:
        """Tracker and regressor, opened when they are first needed."""
        from vcam.sources.tracking import TrackingStage

        return TrackingStage(self.open_tracker, self.open_regressor, clock=self.clock, messages=self.messages, stats=self.stats)

    def tracked(self, name: str, camera: Camera, *, remembered_as: str | None = None) -> TrackedCamera:
        """A motion source of the faces in a camera's frames; ``remembered_as`` as in ``MotionSource``."""
        from vcam.sources.tracking import TrackedCamera

        governor = self.governor
        return TrackedCamera(
            name,
            camera,
            self.tracking(),
            every=lambda: governor.level.track_every,
            working=lambda: governor.working("tracking"),
            remembered_as=remembered_as,
        )

    def open_source(self) -> MotionSource:
        """What ``camera.source`` names, not yet started; raises InputError, DeviceError."""
        return sources.open_source(self)

    def open_sources(self) -> PrioritizedSources:
        """All that may move the avatar, not yet started; raises InputError, DeviceError, ConfigError."""
        from vcam.sources.priority import PrioritizedSources

        opened = [self.open_source()]
        try:
            opened += [sources.open_named(self, setting) for setting in self.settings.streams.sources]
        except BaseException:
            for source in opened:
                source.close()
            raise
        return PrioritizedSources(opened, self.clock, self.messages)

    def open_one_shot(self, name: str) -> RecordingSource:
        """A recording that is played once; raises InputError."""
        from engine.recording import read_recording
        from vcam.sources.recording import RecordingSource

        path = named_path(name, self.config_path)
        return RecordingSource(path.name, read_recording(path), self.clock, priority=Priority.ONE_SHOT)

    def open_motion_sinks(self) -> MotionSinks:
        """Where motion goes; raises InputError, ConfigError."""
        from vcam import motion_sinks
        from vcam.motion_sinks.group import MotionSinks

        group = MotionSinks(self.messages)
        try:
            for setting in self.settings.streams.send:
                group.add(motion_sinks.open_motion_sink(self, setting))
        except BaseException:
            group.close()
            raise
        return group

    def open_sink(self, session: Session, name: str, argument: str = "", *, required: bool = True) -> Sink:
        """One sink of ``sinks.SINKS``; raises DeviceError, InputError."""
        return sinks.open_sink(self, session, name, argument, required=required)

    def open_plugins(self, controls: Controls) -> PluginHost:
        """The plug-ins of a session, none of them on yet."""
        return PluginHost(
            self.settings.plugins.folder,
            self.config_path,
            size=self.size,
            fps=self.settings.output.fps,
            clock=self.clock,
            messages=self.messages,
            stats=self.stats,
            controls=controls,
            hear=self.open_microphone().hear,
        )

    def open_microphone(self) -> Hearing:
        """What plug-ins hear; it is closed until one does."""
        return Microphone(self.settings.plugins.microphone, clock=self.clock, messages=self.messages)

    def open_rest_memory(self) -> RestMemory | None:
        """Where the drivers' rest is kept from one start to the next; None where the settings say not to."""
        from vcam.drive.memory import RestMemory

        if not self.settings.drive.remember_rest:
            return None
        return RestMemory(user_folder("data") / "resting-faces.toml", self.messages)

    def drive_options(self) -> DriveOptions:
        """How observations become motion."""
        return drive_options(self.settings.drive)

    def _opened(self, folder: Path | None, named: Callable[[Path], T], shipped: Callable[[], T], what: str, *, strict: bool) -> T:
        if folder is not None:
            try:
                return named(folder)
            except AssetError as error:
                if strict:
                    raise
                self.messages.say(f"{error} The {what} that ships is used instead.")
        return shipped()


def cut_out(portrait: Portrait, source: PreparedPortrait, composer: Composer) -> Cutout:
    """The person of a prepared portrait, for other backgrounds."""
    from engine.crop import cut, face_centre
    from engine.cutout import person_alpha
    from engine.track import person_matte
    from vcam.avatars.cutout import Cutout

    crop, photo, square = portrait.crop, portrait.photo, portrait.square
    x, y = face_centre(portrait.face)
    in_photo = person_matte(photo)
    photo_alpha = person_alpha(photo, in_photo, (square.centre_x_px, square.centre_y_px))
    # nobody is in the crop where nobody is in the whole photograph, which shows shoulders for what they are
    allowed = CERTAIN * cut((255 * in_photo).astype(np.uint8)[..., None].repeat(3, 2), square, crop.shape[0])[..., 0] / 255
    crop_alpha = person_alpha(crop, np.minimum(person_matte(crop), allowed.astype(np.float32)), (float(x), float(y)))
    layered = source.network.with_layers(crop, crop_alpha, portrait.plate)

    def relayer(foreground: Picture, plate: Picture) -> PreparedPortrait:
        return replace(source, network=layered.with_layers(foreground, crop_alpha, plate))

    return Cutout(crop, crop_alpha, photo, photo_alpha, square, composer, relayer)


def drive_options(settings: DriveSettings) -> DriveOptions:
    """The drive's own options for these settings."""
    tuned = DriveOptions()
    gains = Gains(
        pitch=settings.pitch_gain,
        yaw=settings.yaw_gain,
        roll=settings.roll_gain,
        translation=tuned.gains.translation * settings.shift_gain,
        brows=settings.brows_gain,
        eyes=settings.eyes_gain,
        mouth=settings.mouth_gain,
        gaze=settings.gaze_gain,
    )
    limits = Limits(
        pitch_rad=math.radians(settings.pitch_limit_deg),
        yaw_rad=math.radians(settings.yaw_limit_deg),
        roll_rad=math.radians(settings.roll_limit_deg),
        brows=settings.brows_limit,
        eyes=settings.eyes_limit,
        mouth=settings.mouth_limit,
        gaze=math.sin(math.radians(settings.gaze_limit_deg)),
    )
    idle = IdleLife(settings.idle_breath, settings.idle_sway, settings.idle_blink)
    channels = ("rotation", "translation", "expression", "eyelids", "gaze")
    filters = {name: steadied(getattr(tuned, name), settings.smoothing) for name in channels}
    return DriveOptions(
        gains=gains,
        limits=limits,
        mirror=settings.mirror,
        look_at_camera=settings.look_at_camera,
        idle=idle,
        hold_s=settings.hold_s,
        privacy_s=settings.privacy_s,
        **filters,
    )


def steadied(tuned: Smoothing, strength: float) -> Smoothing:
    """The tuned filter with its cut-off frequencies divided by ``strength``; 0 lets practically everything pass."""
    divisor = max(strength, 1e-3)
    return Smoothing(tuned.rest_hz / divisor, tuned.speed_hz / divisor)
