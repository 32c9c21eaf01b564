"""Table 2: portraits moved by other people (section 4.2, cross-identity motion transfer).

There is no true picture. Motion is judged as change: of the picture against the portrait, beside the driver against its rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from engine.values import Floats
from trainer.generator.judge.motion import agreement, steadiness
from trainer.generator.judge.panel import Seen
from trainer.generator.judge.posed import Driver, Posed, change, drive
from trainer.generator.judge.same import Show
from trainer.generator.judge.tally import Row, Tally, departures, mean_of, similarity

Runs = dict[str, list[tuple[Seen, Seen]]]  # method → what was found, and what the driver did, frame by frame


@dataclass
class CrossIdentity:
    """What is known so far; ``pair`` adds a portrait with a driver, ``table`` sums up. ``real``: features of real pictures."""

    methods: Sequence[str]
    real: Sequence[Floats]
    frechet: str
    tallies: dict[str, Tally] = field(init=False)
    _moves: dict[str, list[Row]] = field(init=False)

    def __post_init__(self) -> None:
        self.tallies = {name: Tally() for name in self.methods}
        self._moves = {name: [] for name in self.methods}

    def pair(self, posed: Posed, driver: Driver, show: Show, tick: Callable[[], None]) -> Runs:
        """Judges one portrait moved by one driver. ``tick`` hears of each frame."""
        sitter, witness, closed = posed.sitter, posed.witness, driver.closed
        runs: Runs = {name: [] for name in self.methods}
        for driving, wanted in zip(driver.pictures, driver.seen, strict=True):
            tick()
            z = drive(sitter.coefficients, wanted.z, driver.rest.z, closed)
            prior = sitter.prior(z)
            pictures = {name: posed.draws[name](z, prior) for name in self.methods}
            for name, picture in pictures.items():
                seen = witness.look(picture)
                row = {} if seen is None else _measures(seen, witness.first, wanted, driver.rest)
                self.tallies[name].add(seen, row)
                self.tallies[name].similarities.append(row.get("ID", 0.0))
                if seen is not None:
                    runs[name].append((seen, wanted))
            show([sitter.crop, driving, *pictures.values()])
        for name, both in runs.items():
            if len(both) > 3:
                found, wanted_run = zip(*both, strict=True)
                self._moves[name].append({**agreement(found, wanted_run), **steadiness(found, wanted_run)})
        return runs

    def table(self) -> dict[str, Row]:
        """Method → measure → value."""
        pictures = {name: tally.summary(self.real, self.frechet) for name, tally in self.tallies.items()}
        return {name: {**row, **mean_of(self._moves[name])} for name, row in pictures.items()}


def _measures(seen: Seen, first: Seen, wanted: Seen, rest: Seen) -> Row:
    return {**departures(change(seen.z, first.z), change(wanted.z, rest.z)), "ID": similarity(seen, first)}
