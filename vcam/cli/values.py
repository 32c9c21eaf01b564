"""Values on the command line; a mistake is wrong use (exit code 2)."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import typer

from engine.values import EXPRESSION_NAMES
from vcam import sinks

SMALLEST_PX, LARGEST_PX = 128, 3840


def parse_size(text: str) -> tuple[int, int]:
    """'512' or '1280x720' → (width, height)."""
    match = re.fullmatch(r"(\d+)(?:[xX×](\d+))?", text.strip())
    if match is None:
        raise typer.BadParameter(f"wanted WIDTHxHEIGHT in pixels, e.g. 1280x720, got {text!r}", param_hint="--size")
    width = int(match[1])
    height = int(match[2] or width)
    if not all(SMALLEST_PX <= side <= LARGEST_PX and side % 2 == 0 for side in (width, height)):
        raise typer.BadParameter(
            f"width and height must be even and from {SMALLEST_PX} to {LARGEST_PX} pixels, got {width}x{height}",
            param_hint="--size",
        )
    return width, height


def parse_pair(text: str) -> tuple[int, int]:
    """'1280x720' → (width, height); one number alone is not enough."""
    if re.fullmatch(r"\d+", text.strip()):
        raise typer.BadParameter(f"wanted WIDTHxHEIGHT in pixels, e.g. 1280x720, got {text!r}", param_hint="--size")
    return parse_size(text)


def parse_output(text: str | None) -> str | None:
    """auto, or one of ``sinks.SINKS``."""
    if text is None or sinks.accepts(text):
        return text
    raise typer.BadParameter(f"wanted {' or '.join(sinks.setting_values().split('|'))}, got {text!r}", param_hint="--output")


def parse_camera(text: str | None) -> str | None:
    """auto, a number or a video file; which of them exist is found out later."""
    if text == "":
        raise typer.BadParameter("wanted auto, the number of a webcam or a video file, got nothing", param_hint="--camera")
    return text


def parse_driving(recording: Path | None, camera: str | None) -> str | None:
    """The source that --driving or --camera names; both together are wrong use."""
    if recording is None:
        return camera
    if camera is not None:
        raise typer.BadParameter("wanted --driving or --camera, got both", param_hint="--driving")
    return f"recording:{recording.absolute()}"


def parse_set(text: str) -> tuple[str, float]:
    """'jawOpen=0.5' → ('jawOpen', 0.5)."""
    name, equals, number = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"wanted NAME=VALUE, e.g. jawOpen=0.5, got {text!r}", param_hint="--set")
    if name not in EXPRESSION_NAMES:
        near = difflib.get_close_matches(name, EXPRESSION_NAMES, 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(EXPRESSION_NAMES)}."
        raise typer.BadParameter(f"{name!r} is not an expression; {hint}", param_hint="--set")
    try:
        value = float(number)
    except ValueError as error:
        raise typer.BadParameter(f"{name} must be a number from 0 to 1, got {number!r}", param_hint="--set") from error
    if not 0.0 <= value <= 1.0:
        raise typer.BadParameter(f"{name} must be from 0 to 1, got {number}", param_hint="--set")
    return name, value
