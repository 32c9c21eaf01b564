"""``hifihead inspect``: what is understood of a photograph."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from engine.files import refuse_overwriting
from engine.picture import refuse_unreadable
from engine.values import EXPRESSION_NAMES, Coefficients, Floats
from vcam.files import refuse_png, write_png
from vcam.messages import say_on_stderr

DIGITS = 4
WORTH_A_LINE = 0.05  # expressions below this are left out of the table


def inspect(image: Path, out: Path, *, as_json: bool) -> None:
    """Prints z and writes the picture of mesh, landmarks and I_3D over the photograph."""
    refuse_png(out)
    refuse_unreadable(image)
    refuse_overwriting(out, image)
    # imported here: mediapipe and numba take seconds, and mistakes are told before
    from engine.head import load_head
    from engine.portrait import load_portrait
    from engine.regress.portrait import fit_portrait
    from vcam.overlay import draw_overlay

    portrait = load_portrait(image)
    fit = fit_portrait(load_head(), portrait.face, portrait.crop)
    write_png(out, draw_overlay(portrait.crop, portrait.face, fit))
    for note in portrait.notes:
        say_on_stderr(note)
    z = named(fit.coefficients)
    if as_json:
        result = {"image": str(image), "picture": str(out), "notes": list(portrait.notes), "z": z}
        Console(soft_wrap=True, highlight=False).print(json.dumps(result, indent=1), markup=False)
        return
    Console().print(table(z))
    say_on_stderr(f"Wrote {out}: landmarks, mesh and rendered head over the photograph.")


def named(z: Coefficients) -> dict[str, Any]:
    """z with names and units, rounded."""
    pitch, yaw, roll = np.degrees(z.pose[:3])
    x, y, depth = z.pose[3:]
    named_expressions = len(EXPRESSION_NAMES)
    angles = {"pitch_deg": pitch, "yaw_deg": yaw, "roll_deg": roll, "x_dm": x, "y_dm": y, "z_dm": depth}
    gaze = dict(zip(("left_x", "left_y", "right_x", "right_y"), z.gaze, strict=True))
    return {
        "pose": {name: rounded(value) for name, value in angles.items()},
        "gaze": {name: rounded(value) for name, value in gaze.items()},
        "expression": {name: rounded(value) for name, value in zip(EXPRESSION_NAMES, z.expression, strict=False)},
        "further_expression": numbers(z.expression[named_expressions:]),
        "identity": numbers(z.identity),
        "texture": numbers(z.texture),
        "illumination": numbers(z.illumination),
    }


def rounded(value: float) -> float:
    return round(float(value), DIGITS)


def numbers(values: Floats) -> list[float]:
    return [rounded(value) for value in values]


def table(z: dict[str, Any]) -> Table:
    """For people: pose, gaze, and the expressions that are there."""
    grid = Table("coefficient", "value")
    for group in ("pose", "gaze", "expression"):
        for name, value in z[group].items():
            if group != "expression" or abs(value) >= WORTH_A_LINE:
                grid.add_row(f"{group} {name}", f"{value:+.3f}")
    for group in ("identity", "texture", "illumination"):
        grid.add_row(f"{group} ({len(z[group])})", "size " + f"{float(np.linalg.norm(z[group])):.2f}")
    return grid
