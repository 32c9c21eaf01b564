"""``hifihead edit``: the paper's intuitive control, named coefficients set by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.files import refuse_overwriting
from engine.values import EXPRESSION_NAMES, Coefficients
from vcam.avatars.avatar import BUNDLED_PORTRAIT
from vcam.build import Builder
from vcam.config import Settings
from vcam.config_file import read_settings
from vcam.config_path import default_path
from vcam.files import refuse_png, write_png
from vcam.session import Session


@dataclass(frozen=True)
class Edit:
    """Values that replace the portrait's own; None keeps it. ``expressions``: name → 0…1; gaze for both eyes."""

    expressions: dict[str, float]
    yaw_deg: float | None = None
    pitch_deg: float | None = None
    roll_deg: float | None = None
    gaze_x: float | None = None
    gaze_y: float | None = None


def edit(avatar: Path | None, wanted: Edit, out: Path, config: Path | None, make_builder: type[Builder] = Builder) -> None:
    """Writes the edited 512² square of the portrait."""
    refuse_png(out)
    photo = avatar or BUNDLED_PORTRAIT
    refuse_overwriting(out, photo)
    path = config or default_path()
    builder = make_builder(read_settings(path) if path else Settings(), path, reproducible=True)
    with Session(builder, photo) as session:
        animator, person = session.open_avatar()
        animator.use(person.source)
        write_png(out, animator.animate(edited(person.coefficients, wanted)))
    for note in person.notes:
        builder.messages.say(note)
    builder.messages.say(f"Wrote {out}.")


def edited(z: Coefficients, wanted: Edit) -> Coefficients:
    """z with the wanted values in place of its own."""
    expression, pose, gaze = z.expression.copy(), z.pose.copy(), z.gaze.copy()
    for name, value in wanted.expressions.items():
        expression[EXPRESSION_NAMES.index(name)] = value
    for place, angle_deg in enumerate((wanted.pitch_deg, wanted.yaw_deg, wanted.roll_deg)):
        if angle_deg is not None:
            pose[place] = np.radians(angle_deg)
    if wanted.gaze_x is not None:
        gaze[[0, 2]] = wanted.gaze_x
    if wanted.gaze_y is not None:
        gaze[[1, 3]] = wanted.gaze_y
    return replace(z, expression=expression, pose=pose, gaze=gaze)
