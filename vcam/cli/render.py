"""``hifihead render``: a portrait animated by a video, frame by frame."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from engine.errors import InputError
from engine.files import refuse_overwriting, refuse_unwritable, write_text
from engine.mp4 import Mp4File
from engine.video import VideoDamage, read_frames, video_info
from vcam.avatars.pictures import refuse_unusable
from vcam.build import Builder
from vcam.config import Settings
from vcam.config_file import read_settings, with_changes
from vcam.config_path import default_path
from vcam.messages import StrictMessages, say_on_stderr
from vcam.offline import MediaClock, RenderReport, render
from vcam.session import Session


def render_files(
    avatar: Path,
    driving: Path,
    out: Path,
    *,
    report: Path | None,
    size: tuple[int, int],
    config: Path | None,
    make_builder: type[Builder] = Builder,
) -> None:
    """Writes the video, and the report when one is wanted. When anything fails, nothing is written."""
    # what can be refused at once
    refuse_unusable(avatar)
    info = video_info(driving)
    refuse_overwriting(out, avatar, driving)
    if report is not None:
        refuse_unwritable(report)
        refuse_overwriting(report, avatar, driving)
        if report.absolute() == out.absolute():
            raise InputError(f"{out} cannot be both the video and the report; wanted two names.")
    path = config or default_path()
    in_file = read_settings(path) if path else Settings()
    settings = with_changes(in_file, {"output": {"width_px": size[0], "height_px": size[1]}}, "The command line")
    result = RenderReport(str(avatar), str(driving), str(out), driving_fps=round(float(info.fps), 3))
    # every frame
    clock, damage = MediaClock(), VideoDamage()
    builder = make_builder(settings, path, clock=clock, messages=StrictMessages(say_on_stderr, clock), reproducible=True)
    with Mp4File(out, size, info.fps) as file, Session(builder, avatar) as session, progress_bar() as bar:
        task = bar.add_task("rendering", total=info.frames or None)
        render(
            session,
            read_frames(driving, damage=damage),
            file.send,
            report=result,
            progress=lambda done: bar.update(task, completed=done),
        )
    result.promised_frames, result.faults = damage.promised, damage.faults
    if sentence := damage.sentence(driving):
        result.notes.append(sentence)
    finish(result, report)


def progress_bar() -> Progress:
    """A bar on standard error; nothing where that is not a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def finish(result: RenderReport, report: Path | None) -> None:
    """Tells what was done; writes the report."""
    if result.faces == 0:
        result.notes.append(f"No face was found in {result.driving}: the portrait only idles.")
    for note in result.notes:
        say_on_stderr(note)
    say_on_stderr(f"Wrote {result.output}: {result.frames} frames, a face found in {result.faces}, {result.fps} frames/s.")
    if report is not None:
        write_text(report, json.dumps(result.as_json(), indent=1))
