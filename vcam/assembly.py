"""Putting the live program together from settings."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vcam.avatar import photo_path
from vcam.capture.choice import DEMO_SENTENCE, Choice, NoCamera, choose
from vcam.capture.webcam import Webcam, WebcamFormat
from vcam.config import Settings
from vcam.files import model_folder
from vcam.governor import Governor
from vcam.live import Live, Prepare
from vcam.messages import Messages
from vcam.parts import demo_driver, live_driver, open_animator, open_tracker, prepare_avatar
from vcam.performer import PATIENCE_S, Performer
from vcam.portrayer import Portrayer
from vcam.screen import Screen
from vcam.seams import Animator, Camera, Clock
from vcam.stats import Stats
from vcam.watch import ConfigWatch


@dataclass(frozen=True)
class Models:
    """Folders of the user's own generator and regressor; None = the one that ships."""

    bundle: Path | None
    network: Path | None


def named_models(settings: Settings, config_path: Path | None) -> Models:
    """The models that settings name."""
    return Models(model_folder(settings.runtime.bundle, config_path), model_folder(settings.tracking.network, config_path))


def open_live(
    settings: Settings,
    photo: Path,
    models: Models,
    screen: Screen,
    governor: Governor,
    *,
    clock: Clock,
    messages: Messages,
    stats: Stats,
) -> Live:
    """The threads of the live program, not yet started; raises InputError for a video that cannot be read."""
    size = (settings.output.width_px, settings.output.height_px)
    choice = choose(settings.camera.source, settings.output.camera_name)
    camera = open_camera(choice, settings, clock=clock, messages=messages, stats=stats)

    def open_studio() -> tuple[Animator, Prepare]:
        animator = open_animator(settings.runtime.engine, models.bundle, messages.say)
        return animator, lambda path: prepare_avatar(animator, path, size)

    def make_portrayer(animator: Animator) -> Portrayer:
        return Portrayer(animator, size, clock=clock, messages=messages, stats=stats)

    performer = make_performer(choice, settings, models.network, clock=clock, messages=messages, stats=stats)
    return Live(
        photo,
        camera,
        performer,
        open_studio,
        make_portrayer,
        screen=screen,
        clock=clock,
        messages=messages,
        governor=governor,
        fps=settings.output.fps,
    )


def make_performer(
    choice: Choice, settings: Settings, network: Path | None, *, clock: Clock, messages: Messages, stats: Stats
) -> Performer:
    """What follows the face, or plays the demo drive when there is neither webcam nor video."""
    demo = choice == Choice()
    driver = demo_driver() if demo else live_driver(settings, network, messages.say)
    patience_s = 0.0 if demo else PATIENCE_S
    tracker = None if demo else open_tracker
    return Performer(tracker, driver, clock=clock, messages=messages, stats=stats, patience_s=patience_s)


def open_camera(choice: Choice, settings: Settings, *, clock: Clock, messages: Messages, stats: Stats) -> Camera:
    """The chosen camera, started."""
    if choice.video is not None:
        from vcam.capture.video import VideoCamera

        return VideoCamera(choice.video, clock=clock, messages=messages, stats=stats).start()
    if choice.webcam is not None:
        wanted = WebcamFormat(settings.camera.width_px, settings.camera.height_px, settings.camera.fps)
        retry_s = settings.camera.retry_s
        return Webcam(choice.webcam, wanted, clock=clock, messages=messages, stats=stats, retry_s=retry_s).start()
    messages.say(DEMO_SENTENCE)
    return NoCamera()


@contextlib.contextmanager
def watch_config(path: Path | None, settings: Settings, live: Live, messages: Messages) -> Iterator[None]:
    """Watches the settings file, if there is one, on a thread."""
    if path is None:
        yield
        return
    stop = threading.Event()
    watch = ConfigWatch(path, settings, lambda photo: live.swap(photo_path(photo, path)), messages)
    thread = threading.Thread(
        target=lambda: messages.attempt("watch", "Watching the settings", lambda: watch.run(stop)), daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(2.0)
