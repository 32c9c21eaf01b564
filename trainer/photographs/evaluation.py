"""One photograph against several: a person's other pictures are drawn from the first one alone, and from the first few."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from engine.animator import SIZE_PX, Animator, PreparedPortrait
from engine.errors import InputError
from engine.photographs.selection import select
from engine.picture import read_picture
from engine.portrait import find_face, load_portrait
from engine.regress.landmarks import observed
from engine.regress.same_person import SamePerson
from engine.values import Coefficients, Corrections, Mask, Picture, Square
from trainer.generator.evaluation.areas import areas_of
from trainer.generator.evaluation.models import as_plane, as_tensor
from trainer.generator.evaluation.report import Table
from trainer.generator.perceptual import Perceptual, weighted
from trainer.metrics.intervals import mean_over_people, ratio_over_people

GEOMETRY, TRAINED, SEVERAL = "one photograph, geometry", "one photograph, trained", "several photographs"
METHODS: Mapping[str, Corrections] = {GEOMETRY: "none", TRAINED: "new", SEVERAL: "new"}
TINY = 1e-3  # squared error that counts as none [levels²]
LEAST_PEOPLE = 3  # of which an interval says anything

Show = Callable[[str, Sequence[Picture]], None]
"""Takes a held-out picture's name, and it with what each method makes of it."""


@dataclass(frozen=True)
class Judged:
    """A held-out picture of a person: method → measure, like "PSNR, mouth", → value."""

    person: str
    measures: Mapping[str, Mapping[str, float]]


class PhotographsEvaluation:
    """Judges people; one thread."""

    def __init__(self, animator: Animator, perceptual: Perceptual) -> None:
        self._animator, self._perceptual = animator, perceptual

    def person(self, name: str, pictures: Sequence[Path], given: int, show: Show) -> tuple[list[Judged], tuple[str, ...]]:
        """The pictures after the first 1 + ``given``, each drawn by all methods; and sentences on what could not be used.
        Raises InputError when the first one cannot become an avatar, or nothing is left to be judged."""
        first, further, held_out = pictures[0], pictures[1 : 1 + given], pictures[1 + given :]
        portrait = load_portrait(first)
        one = self._animator.prepare(portrait)
        selection = select(one.fit, portrait, further)
        several = one.with_photographs(portrait.crop, [chosen.fitted for chosen in selection.chosen])
        person, judged, left_out = SamePerson(one.fit, portrait.face), [], [*selection.left_out]
        for path in held_out:
            try:
                found = find_face(read_picture(path), str(path))
            except InputError as error:
                left_out.append(str(error))
                continue
            z = person.coefficients(found.face)
            sources = {GEOMETRY: one, TRAINED: one, SEVERAL: several}
            drawn = {method: self._drawn(source, z, METHODS[method]) for method, source in sources.items()}
            prior = one.geometry.prior(z)
            points = observed(found.face, Square(SIZE_PX / 2, SIZE_PX / 2, SIZE_PX))[:, :2]
            mesh = one.fit.head.model.landmarks(one.geometry.screen)[:, :2]
            areas = areas_of(points, mesh, prior.coverage)
            judged.append(Judged(name, {method: self._measures(made, found.crop, areas) for method, made in drawn.items()}))
            show(path.stem, [found.crop, *drawn.values()])
        if not judged:
            raise InputError(f"{name} has no picture with a face after the first {1 + given}: give more, or a smaller --given.")
        return judged, tuple(left_out)

    def _drawn(self, source: PreparedPortrait, z: Coefficients, corrections: Corrections) -> Picture:
        self._animator.use(source)
        return self._animator.animate(z, corrections=corrections).copy()

    @torch.inference_mode()
    def _measures(self, drawn: Picture, true: Picture, areas: Mapping[str, Mask]) -> dict[str, float]:
        maps = self._perceptual.maps(as_tensor(drawn), as_tensor(true))
        out: dict[str, float] = {}
        for name, mask in areas.items():
            error = float(((drawn[mask].astype(np.float64) - true[mask]) ** 2).mean())
            out[f"PSNR, {name}"] = float(10 * np.log10(255**2 / max(error, TINY)))
            weight = as_plane(mask)
            out[f"perceptual, {name}"] = float(torch.stack([weighted(one, weight) for one in maps]).mean())
        return out


def tables(judged: Sequence[Judged]) -> list[Table]:
    """Means of each method; and with people enough, several photographs against one, with intervals over people."""
    people = [one.person for one in judged]
    values = {
        method: {name: np.array([one.measures[method][name] for one in judged]) for name in judged[0].measures[method]}
        for method in METHODS
    }
    means = {method: {name: float(found.mean()) for name, found in measures.items()} for method, measures in values.items()}
    note = f"{len(judged)} held-out pictures of {len(set(people))} people."
    found = [Table("Held-out pictures", note, means)]
    if len(set(people)) >= LEAST_PEOPLE:
        rows = {}
        for name, several in values[SEVERAL].items():
            one = values[TRAINED][name]
            if name.startswith("PSNR"):
                interval, better, sign = mean_over_people(several - one, people), several > one, "+"
            else:
                interval, better, sign = ratio_over_people(several, one, people), several < one, "×"
            row = {"value": interval.value, "from": interval.low, "to": interval.high, "better in": float(better.mean())}
            rows[f"{name} {sign}"] = row
        note = "PSNR by difference [dB], distances by ratio; 95 % of drawings of as many people."
        found.append(Table("Several photographs against one, trained", note, rows))
    return found
