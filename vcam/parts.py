"""The heavy parts of the engine, each imported only when it is opened: the first picture leaves before any of them is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.values import Coefficients
from vcam.avatar import Avatar
from vcam.compose import Composer
from vcam.config import DriveSettings, Settings
from vcam.demo import DemoDrive, read_recording
from vcam.seams import Driver, FaceTracker, Say

if TYPE_CHECKING:
    from engine.animator import Animator
    from engine.regress import Regressor
    from vcam.drive import DriveOptions, Smoothing


def open_tracker() -> FaceTracker:
    """A tracker for frames in order."""
    from engine.track import Tracker

    return Tracker("video")


def open_animator(engine: str, bundle: Path | None, say: Say, *, fixed: bool = False) -> Animator:
    """An animator for 512² pictures. Of more than two CPUs it leaves one to the tracker; two they share (docs/performance.md).

    ``bundle``: a generator of the user's; when it is refused, the one that ships is taken, and that is said. ``say`` also hears
    which engine has taken over, and why another is not used; ``fixed``: none takes over. Raises AssetError, ConfigError.
    """
    from engine.animator import Animator
    from engine.errors import AssetError
    from engine.runtime import available_threads

    cpus = available_threads()
    threads = max(min(2, cpus), cpus - 1)
    if bundle is not None:
        try:
            return Animator(engine, threads, say, bundle, fixed=fixed)
        except AssetError as error:
            say(f"{error} The generator that ships is used instead.")
    return Animator(engine, threads, say, fixed=fixed)


def prepare_avatar(animator: Animator, path: Path, size: tuple[int, int]) -> Avatar:
    """Reads and prepares a photograph for an output of ``size``; raises InputError when it cannot become an avatar."""
    from engine.portrait import load_portrait

    portrait = load_portrait(path)
    source = animator.prepare(portrait)
    composer = Composer(portrait.photo, portrait.square, size)
    return Avatar(str(path), source, source.coefficients, composer, tuple(portrait.notes))


def live_driver(settings: Settings, network: Path | None, say: Say, *, fixed: bool = False) -> Callable[[Coefficients], Driver]:
    """What drives from tracked faces. ``network``: a regressor's of the user's, treated as ``open_animator`` treats a bundle."""

    def make(source: Coefficients) -> Driver:
        from vcam.drive import Drive

        return Drive(source, _open_regressor(settings, network, say, fixed=fixed), drive_options(settings.drive))

    return make


def _open_regressor(settings: Settings, network: Path | None, say: Say, *, fixed: bool) -> Regressor:
    from engine.errors import AssetError
    from engine.head import load_head
    from engine.regress import open_regressor

    name, engine = settings.tracking.regressor, settings.runtime.engine
    if network is not None:
        try:
            return open_regressor(name, load_head(), engine, network, fixed=fixed)
        except AssetError as error:
            say(f"{error} The network that ships is used instead.")
    return open_regressor(name, load_head(), engine, fixed=fixed)


def drive_options(settings: DriveSettings) -> DriveOptions:
    """The drive's own options for these settings."""
    from vcam.drive import DriveOptions, Gains

    tuned = DriveOptions()
    gains = Gains(
        rotation=settings.head_gain,
        translation=tuned.gains.translation * settings.head_gain,
        expression=settings.expression_gain,
        gaze=settings.gaze_gain,
    )
    channels = ("rotation", "translation", "expression", "eyelids", "gaze")
    filters = {name: steadied(getattr(tuned, name), settings.smoothing) for name in channels}
    return DriveOptions(gains=gains, hold_s=settings.hold_s, privacy_s=settings.privacy_s, **filters)


def steadied(tuned: Smoothing, strength: float) -> Smoothing:
    """The tuned filter with its cut-off frequencies divided by ``strength``; 0 lets practically everything pass."""
    from vcam.drive import Smoothing

    divisor = max(strength, 1e-3)
    return Smoothing(tuned.rest_hz / divisor, tuned.speed_hz / divisor)


def demo_driver() -> Callable[[Coefficients], Driver]:
    """What drives from the bundled recording."""
    recording = read_recording()
    return lambda source: DemoDrive(source, recording)
