"""The evaluation itself: each person as a portrait, each moment drawn and photographed, the two held against each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from engine.animator import SIZE_PX, Animator
from engine.conventions import CAMERA_DISTANCE_DM
from engine.errors import InputError
from engine.head import HeadModel
from engine.portrait import make_portrait
from engine.values import Corrections, Floats, Picture
from trainer.geometry.areas import areas, error_map, fine_detail, mean_errors
from trainer.geometry.moments import Moment
from trainer.geometry.people import RenderedModel
from trainer.geometry.readings import Reader, Reading, difference


@dataclass(frozen=True)
class Record:
    """One moment of one person.

    errors, unmoved  area → mean error [levels] of the drawn picture, and of the portrait as it is
    sharpness        share of the portrait's fine detail that the drawn face keeps; None where the face shows none
    true, drawn      what is read off the true picture and off the drawn one, less what is read at rest; empty without a face
    """

    person: int
    moment: Moment
    errors: dict[str, float]
    unmoved: dict[str, float]
    sharpness: float | None
    true: Reading
    drawn: Reading


@dataclass(frozen=True)
class Comparison:
    """true, drawn (S, S, 3) and their difference (S, S) [levels]."""

    true: Picture
    drawn: Picture
    error: Floats


Show = Callable[[Moment, Comparison], None]


class GeometryEvaluation:
    """Holds people rendered in moments against their portraits, animated to the same; one thread."""

    def __init__(self, head: HeadModel, animator: Animator, reader: Reader, corrections: Corrections) -> None:
        """``corrections``: "new" with the network's, "none" for geometry alone."""
        self._head, self._animator, self._reader, self._corrections = head, animator, reader, corrections

    def person(self, number: int, moments: Sequence[Moment], show: Show, tick: Callable[[], object]) -> list[Record]:
        """One person in all moments; ``tick`` hears of each. Raises InputError where the portrait cannot be used."""
        records = []
        for start_deg, asked in groupby(moments, lambda moment: moment.start_deg):
            model = RenderedModel(number, self._head, start_deg)
            portrait = make_portrait(model.portrait.image, f"person {number}")
            if portrait.photo.shape != model.portrait.image.shape:
                raise InputError(f"Person {number} does not fit into the picture.")
            own = self._animator.set_source(portrait).coefficients
            at_rest = self._reader.read(portrait.crop)
            detail = fine_detail(portrait.crop, areas(model, model.portrait, portrait.square, SIZE_PX)["face"])
            nearer = model.depth_dm / (CAMERA_DISTANCE_DM - float(own.pose[5]))
            for moment in asked:
                now = model.photograph(moment)
                true = now.crop(portrait.square, SIZE_PX)
                drawn = self._animator.animate(moment.of_portrait(own, nearer), corrections=self._corrections).copy()
                within, error = areas(model, now, portrait.square, SIZE_PX), error_map(drawn, true)
                show(moment, Comparison(true, drawn, error))
                record = Record(
                    number,
                    moment,
                    mean_errors(error, within),
                    mean_errors(error_map(portrait.crop, true), within),
                    fine_detail(drawn, within["face"] & ~within["new skin"]) / detail if detail else None,
                    difference(self._reader.read(true), at_rest),
                    difference(self._reader.read(drawn), at_rest),
                )
                records.append(record)
                tick()
        return records
