"""Table 1: one frame of a clip is the source, others are what it should become (section 4.2, same-identity reconstruction)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.values import Floats, Picture
from trainer.data.clips import Clip
from trainer.generator.judge.methods import Method
from trainer.generator.judge.motion import agreement
from trainer.generator.judge.panel import Panel, Seen, Witness
from trainer.generator.judge.takes import portrait_of
from trainer.generator.judge.tally import Row, Tally, departures, mean_of, similarity
from trainer.generator.sitter import Sitter

Show = Callable[[Sequence[Picture]], None]  # takes source, driving picture and one of each method


@dataclass
class SameIdentity:
    """What is known so far; ``take`` adds a take, ``table`` sums up."""

    panel: Panel
    methods: Mapping[str, Method]
    tallies: dict[str, Tally] = field(init=False)
    _real: list[Floats] = field(init=False, default_factory=list)
    _moves: dict[str, list[Row]] = field(init=False)

    def __post_init__(self) -> None:
        self.tallies = {name: Tally() for name in self.methods}
        self._moves = {name: [] for name in self.methods}

    def take(self, take: Clip, show: Show, tick: Callable[[], None]) -> None:
        """Judges one run of crops: the likeliest portrait is the source. ``tick`` hears of each crop."""
        chosen = portrait_of(take.faces, np.stack([self.panel.features_of(crop) for crop in take.crops]))
        source = take.crops[chosen]
        witness = Witness(self.panel, source)
        sitter = Sitter.fitted(self.panel.head, source, witness.face)
        draws = {name: method(sitter) for name, method in self.methods.items()}
        pairs: dict[str, list[tuple[Seen, Seen]]] = {name: [] for name in self.methods}
        for number, driving in enumerate(take.crops):
            tick()
            face = None if number == chosen else witness.face_of(driving)
            if face is None:
                continue
            wanted, z = witness.describe(driving, face), sitter.follow(face)
            prior = sitter.prior(z)
            pictures = {name: draw(z, prior) for name, draw in draws.items()}
            self._real.append(wanted.features)
            target = self.panel.target(driving, wanted.points, take.known)
            for name, picture in pictures.items():
                seen = witness.look(picture)
                self.tallies[name].add(seen, {**self.panel.distances(picture, target), **_seen_in(witness, seen, wanted)})
                self.tallies[name].similarities.append(similarity(seen, wanted) if seen else 0.0)
                if seen:
                    pairs[name].append((seen, wanted))
            show([source, driving, *pictures.values()])
        for name, both in pairs.items():
            if len(both) > 1:
                self._moves[name].append(agreement(*zip(*both, strict=True)))

    def table(self) -> dict[str, Row]:
        """Method → measure → value."""
        pictures = {name: tally.summary(self._real, self.panel.frechet) for name, tally in self.tallies.items()}
        return {name: {**row, **mean_of(self._moves[name])} for name, row in pictures.items()}


def _seen_in(witness: Witness, seen: Seen | None, wanted: Seen) -> Row:
    if seen is None:
        return {}
    return {**departures(seen.z, wanted.z), "ID": similarity(seen, witness.first), "ID driving": similarity(seen, wanted)}
