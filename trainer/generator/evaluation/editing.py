"""Table 3: single expressions, turns and looks are set on portraits, and looked for in the pictures (section 4.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from engine.values import EXPRESSION_NAMES, Coefficients, Floats, Picture
from trainer.generator.evaluation.inputs import HeldOutPortrait
from trainer.generator.evaluation.metrics import MetricAccumulator, MetricRow, change, motion_errors, similarities
from trainer.generator.evaluation.models import MeasuredFace

Strength = Callable[[MeasuredFace, MeasuredFace], float]  # of an edit, as seen in a picture and, before it, in the portrait


@dataclass(frozen=True)
class PortraitEdit:
    """One thing to set. ``apply``: the portrait's z → z_des; ``found``: how much of it is seen, in the unit of ``value``."""

    name: str
    value: float
    apply: Callable[[Coefficients], Coefficients]
    found: Strength


def expression(names: Sequence[str], value: float) -> PortraitEdit:
    """Coefficients of named expressions are set; what is found is the tracker's mean score."""
    chosen = [EXPRESSION_NAMES.index(name) for name in names]

    def apply(own: Coefficients) -> Coefficients:
        beta = own.expression.copy()
        beta[chosen] = value
        return replace(own, expression=beta)

    return PortraitEdit(names[0].removesuffix("Left"), value, apply, lambda seen, _: float(seen.scores[chosen].mean()))


def turn(name: str, axis: int, degrees: float) -> PortraitEdit:
    """The head turns away from its pose in the portrait; what is found is the landmark fit's change [°]."""

    def apply(own: Coefficients) -> Coefficients:
        pose = own.pose.copy()
        pose[axis] += np.radians(degrees)
        return replace(own, pose=pose)

    return PortraitEdit(
        f"{name} {degrees:+.0f}", degrees, apply, lambda seen, rest: float(np.degrees(seen.z.pose[axis] - rest.z.pose[axis]))
    )


def look(value: float) -> PortraitEdit:
    """Both eyes look aside by ``value`` more than in the portrait; what is found is the landmark fit's change."""
    across = [0, 2]

    def apply(own: Coefficients) -> Coefficients:
        gaze = own.gaze.copy()
        gaze[across] += value
        return replace(own, gaze=gaze)

    return PortraitEdit(f"gaze {value:+.1f}", value, apply, lambda seen, rest: float((seen.z.gaze - rest.z.gaze)[across].mean()))


EDITS = (
    expression(["jawOpen"], 0.6),
    expression(["mouthSmileLeft", "mouthSmileRight"], 0.8),
    expression(["eyeBlinkLeft", "eyeBlinkRight"], 1.0),
    *(turn("yaw", 1, degrees) for degrees in (-20.0, 20.0)),
    *(turn("pitch", 0, degrees) for degrees in (-10.0, 10.0)),
    *(look(value) for value in (-0.4, 0.4)),
)


@dataclass
class EditingExperiment:
    """What is known so far; ``edit`` adds one edit of one portrait, ``table`` and ``edits`` sum up. ``real``: features of
    real pictures."""

    methods: Sequence[str]
    real: Sequence[Floats]
    frechet: str
    accumulators: dict[str, MetricAccumulator] = field(init=False)
    _found: dict[str, dict[str, list[MetricRow]]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.accumulators = {name: MetricAccumulator() for name in self.methods}

    def edit(self, posed: HeldOutPortrait, edit: PortraitEdit) -> list[Picture]:
        """Measures one edit of one portrait; the picture of each method."""
        subject, measurer = posed.subject, posed.measurer
        z = edit.apply(subject.coefficients)
        prior, wanted = subject.prior(z), change(z, subject.coefficients)
        pictures = []
        for name in self.methods:
            picture = posed.draws[name](z, prior)
            pictures.append(picture)
            seen = measurer.look(picture)
            row = {}
            if seen is not None:
                row = {**motion_errors(change(seen.z, measurer.first.z), wanted), **similarities("ID", seen, measurer.first)}
                found = {"found": edit.found(seen, measurer.first), "ID": row["ID"]}
                self._found.setdefault(edit.name, {}).setdefault(name, []).append(found)
            self.accumulators[name].add(seen, row)
        return pictures

    def table(self) -> dict[str, MetricRow]:
        """Method → measure → mean over all edits and portraits."""
        return {name: accumulator.summary(self.real, self.frechet) for name, accumulator in self.accumulators.items()}

    def edits(self, edits: Sequence[PortraitEdit] = EDITS) -> dict[str, MetricRow]:
        """Edit → what was asked for, what each method shows of it, and how much of the identity stays; means over portraits."""
        rows: dict[str, MetricRow] = {}
        for edit in edits:
            row = {"asked": edit.value}
            for name, found in self._found.get(edit.name, {}).items():
                row |= {f"{name}: {measure}": float(np.mean([one[measure] for one in found])) for measure in ("found", "ID")}
            rows[edit.name] = row
        return rows
