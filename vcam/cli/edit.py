"""``hifihead edit``: the paper's intuitive control, named coefficients set by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.picture import refuse_unreadable
from engine.values import EXPRESSION_NAMES, Coefficients
from vcam.avatar import BUNDLED_PORTRAIT
from vcam.config import Settings
from vcam.config_file import default_path, read_settings
from vcam.files import model_folder, refuse_png, write_png
from vcam.messages import say_on_stderr
from vcam.parts import open_animator, prepare_avatar


@dataclass(frozen=True)
class Edit:
    """Values that replace the portrait's own; None keeps it. ``expressions``: name → 0…1; gaze for both eyes."""

    expressions: dict[str, float]
    yaw_deg: float | None = None
    pitch_deg: float | None = None
    roll_deg: float | None = None
    gaze_x: float | None = None
    gaze_y: float | None = None


def edit(avatar: Path | None, wanted: Edit, out: Path, config: Path | None) -> None:
    """Writes the edited 512² square of the portrait."""
    photo = avatar or BUNDLED_PORTRAIT
    refuse_png(out)
    refuse_unreadable(photo)
    path = config or default_path()
    settings = read_settings(path) if path else Settings()
    bundle = model_folder(settings.runtime.bundle, path)
    with open_animator(settings.runtime.engine, bundle, say_on_stderr, fixed=True) as animator:
        person = prepare_avatar(animator, photo, (512, 512))
        animator.use(person.source)
        write_png(out, animator.animate(edited(person.coefficients, wanted)))
    for note in person.notes:
        say_on_stderr(note)
    say_on_stderr(f"Wrote {out}.")


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
