"""Table 1, reconstruction: frames of a clip from one of them (section 4.2), and photographs from sources that geometry makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.errors import InputError
from engine.values import Floats
from trainer.data.clips import Clip
from trainer.data.shards import CROP_PX
from trainer.generator.evaluation.areas import areas_of
from trainer.generator.evaluation.inputs import HeldOutPortrait, portrait_of
from trainer.generator.evaluation.methods import Method
from trainer.generator.evaluation.metrics import (
    MetricAccumulator,
    MetricRow,
    agreement,
    mean_of,
    motion_errors,
    similarities,
    similarity,
)
from trainer.generator.evaluation.models import EvaluationModels, FaceMeasurer, MeasuredFace
from trainer.generator.evaluation.pictures import ShowRow
from trainer.generator.subject import SourceSubject
from trainer.regressor.make import random_animation


@dataclass
class ClipReconstruction:
    """What is known so far; ``add_run`` adds a run, ``table`` sums up."""

    models: EvaluationModels
    methods: Mapping[str, Method]
    accumulators: dict[str, MetricAccumulator] = field(init=False)
    _real: list[Floats] = field(init=False, default_factory=list)
    _moves: dict[str, list[MetricRow]] = field(init=False)

    def __post_init__(self) -> None:
        self.accumulators = {name: MetricAccumulator() for name in self.methods}
        self._moves = {name: [] for name in self.methods}

    def add_run(self, run: Clip, person: str, show: ShowRow, tick: Callable[[], None]) -> None:
        """Measures one run of crops of a person: the likeliest portrait is the source. ``tick`` hears of each crop."""
        chosen = portrait_of(run.faces, np.stack([self.models.features_of(crop) for crop in run.crops]))
        source = run.crops[chosen]
        measurer = FaceMeasurer(self.models, source)
        subject = SourceSubject.fitted(self.models.head, source, measurer.face)
        draws = {name: method(subject) for name, method in self.methods.items()}
        pairs: dict[str, list[tuple[MeasuredFace, MeasuredFace]]] = {name: [] for name in self.methods}
        for number, driving in enumerate(run.crops):
            tick()
            face = None if number == chosen else measurer.face_of(driving)
            if face is None:
                continue
            wanted, z = measurer.describe(driving, face), subject.follow(face)
            prior = subject.prior(z)
            pictures = {name: draw(z, prior) for name, draw in draws.items()}
            self._real.append(wanted.features)
            areas = areas_of(wanted.points, subject.outline(z), prior.coverage)
            target = self.models.target(driving, run.known, areas)
            for name, picture in pictures.items():
                seen = measurer.look(picture)
                found = {**self.models.distances(picture, target), **_seen_in(measurer, seen, wanted)}
                self.accumulators[name].add(seen, found, person)
                self.accumulators[name].similarities.append(similarity(seen, wanted) if seen else 0.0)
                if seen:
                    pairs[name].append((seen, wanted))
            show([source, driving, *pictures.values()])
        for name, both in pairs.items():
            if len(both) > 1:
                self._moves[name].append(agreement(*zip(*both, strict=True)))

    def table(self) -> dict[str, MetricRow]:
        """Method → measure → value."""
        pictures = {name: accumulator.summary(self._real, self.models.frechet) for name, accumulator in self.accumulators.items()}
        return {name: {**row, **mean_of(self._moves[name])} for name, row in pictures.items()}


def _seen_in(measurer: FaceMeasurer, seen: MeasuredFace | None, wanted: MeasuredFace) -> MetricRow:
    if seen is None:
        return {}
    return {
        **motion_errors(seen.z, wanted.z),
        **similarities("ID", seen, measurer.first),
        **similarities("ID driving", seen, wanted),
    }


MOMENTS = 16  # of each photograph, where nothing else is said
KNOWN = np.ones((CROP_PX, CROP_PX), np.bool_)


@dataclass
class PhotographReconstruction:
    """What is known so far; ``photograph`` adds a portrait, ``table`` sums up. ``real``: features of real pictures."""

    models: EvaluationModels
    methods: Mapping[str, Method]
    real: Sequence[Floats]
    accumulators: dict[str, MetricAccumulator] = field(init=False)
    _number: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.accumulators = {name: MetricAccumulator() for name in self.methods}

    def photograph(self, posed: HeldOutPortrait, show: ShowRow, tick: Callable[[], None], moments: int = MOMENTS) -> None:
        """Measures ``moments`` random sources made of one photograph; ``tick`` hears of each."""
        subject, measurer = posed.subject, posed.measurer
        wanted = measurer.first
        coverage = subject.prior(subject.coefficients).coverage
        areas = areas_of(wanted.points, subject.outline(subject.coefficients), coverage)
        target = self.models.target(subject.crop, KNOWN, areas)
        for number in range(moments):
            tick()
            moment = random_animation(subject.coefficients, np.random.default_rng([self._number, number]))
            try:
                source = subject.made_up(self.models.tracker, moment)
            except InputError:
                continue
            prior = source.prior(subject.coefficients)
            pictures = {name: method(source)(subject.coefficients, prior) for name, method in self.methods.items()}
            for name, picture in pictures.items():
                seen = measurer.look(picture)
                found = {**motion_errors(seen.z, wanted.z), **similarities("ID", seen, wanted)} if seen else {}
                self.accumulators[name].add(seen, {**self.models.distances(picture, target), **found}, posed.name)
            show([source.crop, subject.crop, *pictures.values()])
        self._number += 1

    def table(self) -> dict[str, MetricRow]:
        """Method → measure → value."""
        return {name: accumulator.summary(self.real, self.models.frechet) for name, accumulator in self.accumulators.items()}
