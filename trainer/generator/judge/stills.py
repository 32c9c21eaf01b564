"""Table 1 on photographs: the source is what geometry makes of a photograph in another moment, and the photograph is to return.

Geometry knows exactly where everything is, so that what is judged is what it cannot know: teeth, eyes, skin that was hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.errors import InputError
from engine.values import Floats
from trainer.data.shards import CROP_PX
from trainer.generator.judge.methods import Method
from trainer.generator.judge.panel import Panel
from trainer.generator.judge.posed import Posed
from trainer.generator.judge.same import Show
from trainer.generator.judge.tally import Row, Tally, departures, similarity
from trainer.regressor.make import animated_moment

MOMENTS = 16  # of each photograph
KNOWN = np.ones((CROP_PX, CROP_PX), np.bool_)


@dataclass
class Stills:
    """What is known so far; ``photograph`` adds a portrait, ``table`` sums up. ``real``: features of real pictures."""

    panel: Panel
    methods: Mapping[str, Method]
    real: Sequence[Floats]
    tallies: dict[str, Tally] = field(init=False)
    _number: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.tallies = {name: Tally() for name in self.methods}

    def photograph(self, posed: Posed, show: Show, tick: Callable[[], None]) -> None:
        """Judges ``MOMENTS`` random sources made of one photograph; ``tick`` hears of each."""
        sitter, witness = posed.sitter, posed.witness
        wanted = witness.first
        target = self.panel.target(sitter.crop, wanted.points, KNOWN)
        for number in range(MOMENTS):
            tick()
            moment = animated_moment(sitter.coefficients, np.random.default_rng([self._number, number]))
            try:
                source = sitter.made_up(self.panel.tracker, moment)
            except InputError:
                continue
            prior = source.prior(sitter.coefficients)
            pictures = {name: method(source)(sitter.coefficients, prior) for name, method in self.methods.items()}
            for name, picture in pictures.items():
                seen = witness.look(picture)
                found = {**departures(seen.z, wanted.z), "ID": similarity(seen, wanted)} if seen else {}
                self.tallies[name].add(seen, {**self.panel.distances(picture, target), **found})
            show([source.crop, sitter.crop, *pictures.values()])
        self._number += 1

    def table(self) -> dict[str, Row]:
        """Method → measure → value."""
        return {name: tally.summary(self.real, self.panel.frechet) for name, tally in self.tallies.items()}
