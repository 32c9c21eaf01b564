"""``hifihead render``: a portrait animated by a video, frame by frame."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from engine.errors import InputError
from engine.files import write_text
from engine.picture import refuse_unreadable
from engine.video import read_frames, video_info
from vcam.config import Settings
from vcam.config_file import default_path, read_settings
from vcam.files import model_folder
from vcam.messages import StrictMessages, say_on_stderr
from vcam.offline import MediaClock, Report, render
from vcam.parts import live_driver, open_animator, open_tracker, prepare_avatar
from vcam.performer import Performer
from vcam.portrayer import Portrayer
from vcam.sinks.mp4 import Mp4File
from vcam.stats import Stats


def render_files(
    avatar: Path, driving: Path, out: Path, *, report: Path | None, size: tuple[int, int], config: Path | None
) -> None:
    """Writes the video, and the report when one is wanted. When anything fails, nothing is written."""
    # what can be refused at once
    refuse_unreadable(avatar)
    info = video_info(driving)
    if report is not None and not report.parent.is_dir():
        raise InputError(f"{report} cannot be written: the folder {report.parent} does not exist.")
    path = config or default_path()
    settings = read_settings(path) if path else Settings()
    result = Report(str(avatar), str(driving), str(out), driving_fps=round(float(info.fps), 3))
    sink = Mp4File(out, size, info.fps)
    try:
        # the parts, the same as the live camera's
        clock, stats = MediaClock(), Stats()
        messages = StrictMessages(say_on_stderr, clock)
        bundle = model_folder(settings.runtime.bundle, path)
        with open_animator(settings.runtime.engine, bundle, messages.say, fixed=True) as animator:
            person = prepare_avatar(animator, avatar, size)
            result.notes.extend(person.notes)
            driver = live_driver(settings, model_folder(settings.tracking.network, path), messages.say, fixed=True)
            performer = Performer(open_tracker, driver, clock=clock, messages=messages, stats=stats)
            portrayer = Portrayer(animator, size, clock=clock, messages=messages, stats=stats)
            # every frame
            with progress_bar() as bar:
                task = bar.add_task("rendering", total=info.frames or None)
                render(
                    read_frames(driving), person, performer, portrayer, sink.send,
                    clock=clock, stats=stats, report=result, progress=lambda done: bar.update(task, completed=done),
                )  # fmt: skip
            performer.close()
        sink.close()
    finally:
        sink.discard()
    finish(result, report)


def progress_bar() -> Progress:
    """A bar on standard error; nothing where that is not a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def finish(result: Report, report: Path | None) -> None:
    """Tells what was done; writes the report."""
    if result.faces == 0:
        result.notes.append(f"No face was found in {result.driving}: the portrait only idles.")
    for note in result.notes:
        say_on_stderr(note)
    say_on_stderr(f"Wrote {result.output}: {result.frames} frames, a face found in {result.faces}, {result.fps} frames/s.")
    if report is not None:
        write_text(report, json.dumps(result.as_json(), indent=1) + "\n")
