"""``hifihead run``: the first picture within a second, everything else after it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vcam.build import Builder
from vcam.config import Settings
from vcam.config_file import read_settings, with_changes
from vcam.config_path import default_path
from vcam.session import Session
from vcam.signals import ending
from vcam.watch import watching


@dataclass(frozen=True)
class RunOptions:
    """The command line of ``run``; None where an option was not given."""

    avatar: Path | None = None
    camera: str | None = None
    output: str | None = None
    size: tuple[int, int] | None = None
    frames: int | None = None
    config: Path | None = None


def run(options: RunOptions, make_builder: type[Builder] = Builder) -> None:
    """Runs until ``options.frames`` pictures were sent, Ctrl-C, SIGTERM or SIGHUP."""
    with ending() as ended:
        config_path = options.config or default_path()
        in_file = read_settings(config_path) if config_path else Settings()
        builder = make_builder(effective_settings(options, in_file), config_path)
        with Session(builder, options.avatar) as session:
            session.start()
            with watching(config_path, in_file, session, builder.messages):
                session.run(ended, frames=options.frames)
            builder.messages.say(f"Sent {session.sent} pictures of the avatar.")


def effective_settings(options: RunOptions, in_file: Settings) -> Settings:
    """The file's settings with the command line's changes; raises ConfigError."""
    output: dict[str, Any] = {}
    if options.output is not None:
        output["sink"] = options.output
    if options.size is not None:
        output["width_px"], output["height_px"] = options.size
    camera = {} if options.camera is None else {"source": options.camera}
    return with_changes(in_file, {"output": output, "camera": camera}, "The command line")
