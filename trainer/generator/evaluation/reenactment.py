"""Table 2, cross-identity motion transfer (section 4.2): portraits moved by other people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from engine.values import BLINKS, Coefficients, Floats
from trainer.generator.evaluation.inputs import DrivingClip, HeldOutPortrait
from trainer.generator.evaluation.metrics import (
    MetricAccumulator,
    MetricRow,
    agreement,
    change,
    mean_of,
    motion_errors,
    similarities,
    steadiness,
)
from trainer.generator.evaluation.models import MeasuredFace
from trainer.generator.evaluation.pictures import ShowRow

SHUT, WIDEST_GAZE = 1.0, 0.6


def drive(own: Coefficients, now: Coefficients, rest: Coefficients, closed: Floats) -> Coefficients:
    """z_des: the portrait's own z and the driver's departure from rest, as the camera does it (section 3.1, made relative).

    Eyelids go from the portrait's own opening to shut as the driver's go from theirs to ``closed`` (2,).
    """
    expression = np.clip(own.expression + now.expression - rest.expression, np.minimum(own.expression, 0), SHUT)
    lids, at_rest = own.expression[BLINKS], rest.expression[BLINKS]
    closing = (now.expression[BLINKS] - at_rest) / np.maximum(closed - at_rest, 0.1)
    expression[BLINKS] = np.clip(lids + closing * (SHUT - lids), np.minimum(lids, 0), SHUT)
    gaze = np.clip(own.gaze + now.gaze - rest.gaze, -WIDEST_GAZE, WIDEST_GAZE)
    return replace(own, expression=expression, pose=own.pose + now.pose - rest.pose, gaze=gaze)


Runs = dict[str, list[tuple[MeasuredFace, MeasuredFace]]]  # method → what was found, and what the driver did, frame by frame


@dataclass
class CrossIdentityReenactment:
    """What is known so far; ``pair`` adds a portrait with a driver, ``table`` sums up. ``real``: features of real pictures."""

    methods: Sequence[str]
    real: Sequence[Floats]
    frechet: str
    accumulators: dict[str, MetricAccumulator] = field(init=False)
    _moves: dict[str, list[MetricRow]] = field(init=False)

    def __post_init__(self) -> None:
        self.accumulators = {name: MetricAccumulator() for name in self.methods}
        self._moves = {name: [] for name in self.methods}

    def pair(self, posed: HeldOutPortrait, driver: DrivingClip, show: ShowRow, tick: Callable[[], None]) -> Runs:
        """Measures one portrait moved by one driver. ``tick`` hears of each frame."""
        subject, measurer, closed = posed.subject, posed.measurer, driver.closed
        runs: Runs = {name: [] for name in self.methods}
        for driving, wanted in zip(driver.pictures, driver.seen, strict=True):
            tick()
            z = drive(subject.coefficients, wanted.z, driver.rest.z, closed)
            prior = subject.prior(z)
            pictures = {name: posed.draws[name](z, prior) for name in self.methods}
            for name, picture in pictures.items():
                seen = measurer.look(picture)
                row = {} if seen is None else _measures(seen, measurer.first, wanted, driver.rest)
                self.accumulators[name].add(seen, row)
                self.accumulators[name].similarities.append(row.get("ID", 0.0))
                if seen is not None:
                    runs[name].append((seen, wanted))
            show([subject.crop, driving, *pictures.values()])
        for name, both in runs.items():
            if len(both) > 3:
                found, wanted_run = zip(*both, strict=True)
                self._moves[name].append({**agreement(found, wanted_run), **steadiness(found, wanted_run)})
        return runs

    def table(self) -> dict[str, MetricRow]:
        """Method → measure → value."""
        pictures = {name: accumulator.summary(self.real, self.frechet) for name, accumulator in self.accumulators.items()}
        return {name: {**row, **mean_of(self._moves[name])} for name, row in pictures.items()}


def _measures(seen: MeasuredFace, first: MeasuredFace, wanted: MeasuredFace, rest: MeasuredFace) -> MetricRow:
    return {**motion_errors(change(seen.z, first.z), change(wanted.z, rest.z)), **similarities("ID", seen, first)}
