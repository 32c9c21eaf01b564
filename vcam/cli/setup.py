"""``hifihead setup``: makes the camera permanent, or takes it away; asks before anything is changed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import typer

from engine.errors import HifiHeadError
from vcam import v4l2
from vcam.config import OutputSettings, Settings
from vcam.config_file import read_settings
from vcam.config_path import default_path
from vcam.messages import say_on_stderr
from vcam.setup import linux
from vcam.setup.elsewhere import instructions
from vcam.setup.steps import Run, SetupStep, carry_out, is_root, run_step
from vcam.sinks.driver import Host, this_host


@dataclass(frozen=True)
class SetupOptions:
    """The command line of ``setup``.

    module  make v4l2loopback's camera
    show    print the steps only
    yes     do not ask
    """

    module: bool = True
    service: bool = False
    uninstall: bool = False
    show: bool = False
    yes: bool = False


def ask(question: str) -> bool:
    """Whether somebody at the terminal agrees; nobody there does not."""
    return sys.stdin is not None and sys.stdin.isatty() and typer.confirm(question)


def set_up(
    options: SetupOptions,
    *,
    host: Host | None = None,
    places: linux.Places | None = None,
    agree: Callable[[str], bool] = ask,
    run: Run = run_step,
) -> None:
    """Shows the steps, asks, and carries them out. Raises HifiHeadError when one fails or nobody agrees."""
    host, output = host or this_host(), output_settings()
    if host.system != "Linux":
        typer.echo(instructions(host, output.camera_name, uninstall=options.uninstall))
        return
    steps = linux_steps(options, host, output.camera_name, places or linux.this_places())
    if not steps:
        typer.echo("Nothing to do." if options.show else done(options, output.camera_name))
        return
    typer.echo("\n\n".join(step.shown() for step in steps))
    if options.show:
        return
    root = any(step.root for step in steps) and not is_root()
    if root and linux.missing_root():
        raise HifiHeadError("There is no sudo here: type the steps above as root, without sudo.")
    question = "Carry this out? sudo may ask for your password." if root else "Carry this out?"
    if not options.yes and not agree(question):
        raise HifiHeadError("Nothing was changed. --yes carries the steps out without asking.")
    carry_out(steps, say_on_stderr, run)
    typer.echo(done(options, output.camera_name))


def output_settings() -> OutputSettings:
    """As the next start will find them."""
    path = default_path()
    return (read_settings(path) if path else Settings()).output


def linux_steps(options: SetupOptions, host: Host, camera_name: str, places: linux.Places) -> list[SetupStep]:
    """What is still to be done."""
    if options.uninstall:
        return linux.removal_steps(places)
    camera = linux.camera_steps(camera_name, host, places, v4l2.devices()) if options.module else []
    return [*camera, *linux.menu_steps(places), *(linux.service_steps(places) if options.service else [])]


def done(options: SetupOptions, camera_name: str) -> str:
    """What there is after it."""
    if options.uninstall:
        return "HifiHead Cam has left this system; its own folder, the packages that it needs and your config.toml stay."
    if not options.module:
        return f"Ready: PipeWire has '{camera_name}' while 'hifihead run' runs; nothing else is needed. 'hifihead doctor' looks."
    return f"Ready: '{camera_name}' is there after each start of the system. 'hifihead run' sends to it, 'hifihead doctor' looks."
