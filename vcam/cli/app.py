"""The commands and their options. What they do is in the modules beside this one."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import HifiHeadError
from engine.files import reason
from engine.process import memory_is_short, too_little_memory
from vcam import sinks, sources
from vcam.cli.values import parse_camera, parse_driving, parse_output, parse_pair, parse_set, parse_size
from vcam.log import ActiveLog, logging_to_file
from vcam.messages import say_on_stderr
from vcam.signals import Interrupted, listening

if TYPE_CHECKING:
    from vcam.build import Builder

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CommandContext:
    """What ``run_command`` hands to every command."""

    log: ActiveLog
    make_builder: type[Builder] | None


app = typer.Typer(
    name="hifihead",
    help="A virtual camera for video calls: a still portrait, moved live by your own face.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

AvatarOption = Annotated[
    Path | None,
    typer.Option(
        help="The portrait photograph, or a folder of several of one person; without it the bundled one.",
        metavar="PHOTO",
        show_default=False,
    ),
]
ConfigOption = Annotated[
    Path | None, typer.Option(help="The settings file; without it config.toml.", metavar="FILE", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Degrees = Annotated[float | None, typer.Option(min=-60, max=60, show_default=False)]


def print_version(wanted: bool) -> None:
    """Says which build this is, and ends the command."""
    if wanted:
        from vcam.version import build_facts

        print(build_facts())
        raise typer.Exit


@app.callback()
def global_options(
    context: typer.Context,
    *,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print the log, tracebacks included, on standard error as well.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show version, commit, models and libraries, and exit.", callback=print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Options that go before the command."""
    del version  # print_version has seen to it
    if verbose:
        command: CommandContext = context.obj
        command.log.show()


@app.command("run")
def run_command_line(
    context: typer.Context,
    *,
    avatar: AvatarOption = None,
    camera: Annotated[
        str | None,
        typer.Option(
            help="What moves the avatar: auto (the first webcam, waiting for one where there is none), "
            + "; ".join(f"{kind.setting}: {kind.summary}" for kind in sources.SOURCES.values())
            + ".",
            metavar=sources.setting_values(),
            show_default=False,
        ),
    ] = None,
    driving: Annotated[
        Path | None,
        typer.Option(help="A recording that moves the avatar, instead of --camera.", metavar="FILE.z", show_default=False),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            help="auto: the virtual camera where there is one, else PipeWire's, and the preview page; "
            + "; ".join(f"{name}: {kind.summary}" for name, kind in sinks.SINKS.items())
            + "; several are joined by commas, like virtual,pipewire.",
            metavar=sinks.setting_values(),
            show_default=False,
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(help="Output size in pixels, e.g. 1280x720; 512x512 is the bare square.", metavar="WxH", show_default=False),
    ] = None,
    frames: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Stop after so many pictures of the avatar; without it, run until Ctrl-C.",
            metavar="N",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Start the camera: the portrait follows your face. Options go before the settings file, which goes before the defaults."""
    from vcam.cli.run import RunOptions, run

    wanted_size = None if size is None else parse_pair(size)
    run(
        RunOptions(avatar, parse_driving(driving, parse_camera(camera)), parse_output(output), wanted_size, frames, config),
        builder_of(context),
    )


@app.command("render")
def render_command_line(
    context: typer.Context,
    *,
    avatar: Annotated[Path, typer.Option(help="The portrait photograph, or a folder of several of one person.", metavar="PHOTO")],
    driving: Annotated[Path, typer.Option(help="The video of the face that moves it.", metavar="VIDEO")],
    out: Annotated[Path, typer.Option(help="The video to write, .mp4.", metavar="MP4")],
    report: Annotated[
        Path | None, typer.Option(help="Also write what was found and measured, as JSON.", metavar="JSON", show_default=False)
    ] = None,
    size: Annotated[str, typer.Option(help="Output size in pixels: 512 or 1280x720.", metavar="S|WxH")] = "512",
    config: ConfigOption = None,
) -> None:
    """Animate a portrait by a video, offline: every driving frame gives exactly one output frame."""
    from vcam.cli.render import render_files

    render_files(avatar, driving, out, report=report, size=parse_size(size), config=config, make_builder=builder_of(context))


@app.command("record")
def record_command_line(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="The recording to write, .z.", metavar="FILE.z")],
    *,
    camera: Annotated[
        str | None,
        typer.Option(help="What is recorded, as for run.", metavar=sources.setting_values(), show_default=False),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Stop after so many seconds.", metavar="S", show_default=False)
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Record motion as numbers, without any picture: a face before the webcam, or what a phone or tracker sends."""
    from vcam.cli.record import record

    record(out, camera=parse_camera(camera), seconds=seconds, config=config, make_builder=builder_of(context))


@app.command("edit")
def edit_command_line(
    context: typer.Context,
    *,
    out: Annotated[Path, typer.Option(help="The picture to write, .png.", metavar="PNG")],
    avatar: AvatarOption = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="An expression and its strength 0…1, e.g. jawOpen=0.5; may be repeated.",
            metavar="NAME=VALUE",
            show_default=False,
        ),
    ] = None,
    yaw_deg: Degrees = None,
    pitch_deg: Degrees = None,
    roll_deg: Degrees = None,
    gaze_x: Annotated[
        float | None, typer.Option(min=-0.6, max=0.6, help="Toward the person's left, as a sine.", show_default=False)
    ] = None,
    gaze_y: Annotated[float | None, typer.Option(min=-0.6, max=0.6, help="Upward, as a sine.", show_default=False)] = None,
    config: ConfigOption = None,
) -> None:
    """Change a portrait by named coefficients: what is set replaces the portrait's own value, all else stays."""
    from vcam.cli.edit import Edit, edit

    expressions = dict(parse_set(item) for item in set_ or [])
    edit(avatar, Edit(expressions, yaw_deg, pitch_deg, roll_deg, gaze_x, gaze_y), out, config, builder_of(context))


@app.command("inspect")
def inspect_command_line(
    image: Annotated[Path, typer.Argument(help="A photograph with a face.", metavar="IMAGE")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="The picture to write; without it IMAGE's name with -inspect.png, here.", metavar="PNG", show_default=False
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show what is understood of a photograph: its coefficients z, and a picture with mesh, landmarks and the rendered head."""
    from vcam.cli.inspection import inspect

    inspect(image, out or Path(f"{image.stem}-inspect.png"), as_json=json)


avatars_app = typer.Typer(help="Look after the photographs of an avatar.", no_args_is_help=True)
app.add_typer(avatars_app, name="avatars")


@avatars_app.command("check")
def check_avatar_command_line(
    folder: Annotated[Path, typer.Argument(help="A folder of photographs of one person.", metavar="FOLDER")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="The sheet to write; without it FOLDER's name with -check.png, here.", metavar="PNG", show_default=False
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say what each photograph contributes to the avatar, which are left out and why, and what is missing; and show them."""
    from vcam.cli.avatars import check

    check(folder, out or Path(f"{folder.absolute().name}-check.png"), as_json=json)


@avatars_app.command("from-video")
def avatar_from_video_command_line(
    clip: Annotated[Path, typer.Argument(help="A video of one person.", metavar="CLIP")],
    *,
    out: Annotated[Path, typer.Option(help="The folder to write, a new one.", metavar="FOLDER")],
) -> None:
    """Take from a video the pictures that make the best avatar: at rest, smiling, mouth open, eyes shut, brows up, turned."""
    from vcam.cli.avatars import from_video

    from_video(clip, out)


@app.command("verify")
def verify_command_line(
    file: Annotated[Path, typer.Argument(help="A video or a picture.", metavar="FILE")], json: JsonOption = False
) -> None:
    """Look for this program's invisible mark in a video or picture; 0 when it is there, 1 when it is not."""
    from vcam.cli.verify import verify

    raise typer.Exit(0 if verify(file, as_json=json) else 1)


@app.command("devices")
def devices_command_line(json: JsonOption = False) -> None:
    """List the webcams and virtual cameras of this machine, and in which state they are."""
    from vcam.cli.devices import list_devices

    list_devices(as_json=json)


@app.command("bench")
def bench_command_line(
    context: typer.Context,
    seconds: Annotated[float, typer.Option(min=2, max=600, help="How long to measure.", metavar="S")] = 10.0,
    compare: Annotated[
        Path | None,
        typer.Option(help="Show the differences from an earlier run, a file of --json.", metavar="FILE", show_default=False),
    ] = None,
    plugins: Annotated[bool, typer.Option("--plugins", help="Measure what the plug-ins cost, too.")] = False,
    json: JsonOption = False,
) -> None:
    """Measure speed on the bundled portrait and drive, at 512x512, and every engine; needs no devices."""
    from vcam.cli.bench import bench

    bench(seconds, as_json=json, plugins=plugins, compare=compare, make_builder=builder_of(context))


plugins_app = typer.Typer(help="List the plug-ins: their settings, state and times; or write a new one.")
app.add_typer(plugins_app, name="plugins")


@plugins_app.callback(invoke_without_command=True)
def plugins_command_line(context: typer.Context, config: ConfigOption = None, json: JsonOption = False) -> None:
    """List the plug-ins, in the order in which they are asked: settings, and, while a camera runs, their state and times."""
    if context.invoked_subcommand is None:
        from vcam.cli.plugins import list_plugins

        list_plugins(config, as_json=json)


@plugins_app.command("new")
def new_plugin_command_line(
    name: Annotated[str, typer.Argument(help="The plug-in's name, e.g. my_plugin.", metavar="NAME")],
    folder: Annotated[
        Path | None,
        typer.Option(help="Where to; without it the folder that the settings name.", metavar="FOLDER", show_default=False),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Write a plug-in to begin with, and its test."""
    from vcam.cli.plugins import new_plugin

    new_plugin(name, config, folder)


@app.command("doctor")
def doctor_command_line(
    *,
    loop: Annotated[
        bool, typer.Option("--loop", help="Send numbered pictures through the virtual camera and read them back.")
    ] = False,
    gpu: Annotated[bool, typer.Option("--gpu", help="Build, verify and time every engine; a table for bug reports.")] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Something wrong? One screen says what stands in the way, and the exact cure; 0 when the camera can be used, else 1."""
    from vcam.cli.doctor import DoctorOptions, doctor

    raise typer.Exit(doctor(DoctorOptions(loop, gpu, json, config)))


@app.command("setup")
def setup_command_line(
    *,
    module: Annotated[
        bool,
        typer.Option("--module/--no-module", help="v4l2loopback's camera, which every program lists; PipeWire's needs none."),
    ] = True,
    service: Annotated[bool, typer.Option("--service", help="Also start the camera whenever you log in (systemd).")] = False,
    print_: Annotated[bool, typer.Option("--print", help="Only show the steps.")] = False,
    uninstall: Annotated[bool, typer.Option("--uninstall", help="Take away what setup and the program have put here.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before the steps are carried out.")] = False,
) -> None:
    """Make the camera for good: module, menu entry, service; shows every step, and asks before it uses sudo."""
    from vcam.cli.setup import SetupOptions, set_up

    set_up(SetupOptions(module, service, uninstall, print_, yes))


@app.command("settings")
def settings_command_line() -> None:
    """Show where your settings file is; an installed program's is copied into your folder first, so that it can be changed."""
    from vcam.config_path import own_config

    print(own_config())


def builder_of(context: typer.Context) -> type[Builder]:
    """What opens the parts of a command's session."""
    from vcam.build import Builder  # OpenCV

    command: CommandContext = context.obj
    return command.make_builder or Builder


def run_command(arguments: Sequence[str], make_builder: type[Builder] | None = None) -> int:
    """Runs a command line; returns the exit code: 0 done, 1 failed, 2 wrong use, 128 + N ended by signal N.

    Only sentences reach the terminal; failures are logged. HIFIHEAD_DEBUG=1, like --verbose, shows the log.

    ``make_builder``: what opens the parts of sessions, instead of ``vcam.build.Builder``.
    """
    with logging_to_file(verbose=bool(os.environ.get("HIFIHEAD_DEBUG"))) as log:
        try:
            with listening(arguments):
                app(list(arguments), prog_name="hifihead", obj=CommandContext(log, make_builder))
        except SystemExit as leaving:
            return int(leaving.code or 0)
        except HifiHeadError as error:
            logger.info("The command failed.", exc_info=True)
            say_on_stderr(f"Error: {error}")
        except Interrupted as interrupted:
            say_on_stderr(str(interrupted))
            return 128 + interrupted.number
        except BrokenPipeError:  # whoever read what is printed has gone, as "head" does
            return 1
        except Exception as error:
            if memory_is_short(error):
                logger.info("The command failed.", exc_info=True)
                say_on_stderr(f"Error: {too_little_memory(error)}")
                return 1
            if isinstance(error, OSError):
                logger.warning("The command failed.", exc_info=True)
                what = f": {error.filename}" if error.filename else ""
                say_on_stderr(f"Error: The system refuses something ({reason(error)}{what}).")
                return 1
            logger.exception("The command failed unexpectedly.")
            where = f"{log.path} shows where" if log.path else "hifihead --verbose shows where"
            say_on_stderr(f"Error: the program failed unexpectedly ({type(error).__name__}: {error}); {where}.")
        return 1
