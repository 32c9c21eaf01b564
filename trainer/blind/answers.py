"""What people answered at a blind look, kept beside its key, and what it says."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.files import write_text
from trainer.blind.sheet import KEY

ANSWERS = "blind-answers.json"
CERTAINTIES = {"!": "clear", "": "slight", "?": "a coin's toss"}


@dataclass(frozen=True)
class Answer:
    """``better``: "A" or "B"; ``certainty``: of ``CERTAINTIES``."""

    better: str
    certainty: str


@dataclass(frozen=True)
class Score:
    """How often ``method`` was chosen of ``pairs``, by certainty, and with what chance guessing would choose it as often."""

    method: str
    pairs: int
    chosen: int
    certain: Mapping[str, int]
    against: Mapping[str, int]
    chance: float

    def __str__(self) -> str:
        return (
            f"{self.method}: {self.chosen} of {self.pairs} ({_counted(self.certain)}; against it {_counted(self.against)}); "
            f"guessing gets as far with a chance of {self.chance:.2g}"
        )


def parse_answer(text: str) -> Answer:
    """A or B, with "!" if it is clearly better and "?" if it is a coin's toss. Raises InputError."""
    better, certainty = text.strip()[:1].upper(), text.strip()[1:]
    if better not in ("A", "B") or certainty not in CERTAINTIES:
        raise InputError(f'An answer is A or B, with "!" behind it where that is clear and "?" for a coin\'s toss; got {text!r}.')
    return Answer(better, CERTAINTIES[certainty])


def read_key(folder: Path) -> dict[str, Any]:
    """What ``write_sheet`` wrote. Raises InputError."""
    try:
        key: dict[str, Any] = json.loads((folder / KEY).read_text(encoding="utf-8"))
        if {"methods", "pairs"} <= key.keys():
            return key
        reason = "it has no pairs"
    except (OSError, ValueError) as error:
        reason = str(error)
    raise InputError(f"{folder} holds no blind sheet ({reason}): make one by `python -m trainer blind make`.")


def record(folder: Path, person: str, answers: Sequence[Answer]) -> None:
    """Keeps somebody's answers, one for each pair in order, beside those of others. Raises InputError."""
    pairs = read_key(folder)["pairs"]
    if len(answers) != len(pairs):
        raise InputError(f"The sheet has {len(pairs)} pairs; got {len(answers)} answers.")
    kept = read_answers(folder)
    if person in kept:
        raise InputError(f"{person} has answered already: another name, or take that entry out of {folder / ANSWERS}.")
    kept[person] = [asdict(answer) for answer in answers]
    write_text(folder / ANSWERS, json.dumps(kept, indent=1) + "\n")


def read_answers(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Person → answers; empty before the first. Raises InputError."""
    path = folder / ANSWERS
    try:
        kept: dict[str, list[dict[str, str]]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    return kept


def scores(folder: Path) -> dict[str, Score]:
    """Person → how often they chose the second method; with several people also that of all together. Raises InputError."""
    key, kept = read_key(folder), read_answers(folder)
    if not kept:
        raise InputError(f"Nobody has answered for {folder} yet: `python -m trainer blind answer {folder} --by NAME`.")
    method = key["methods"][1]
    said = {
        person: [(one["certainty"], key["pairs"][str(number)][one["better"]] == method) for number, one in enumerate(answers, 1)]
        for person, answers in kept.items()
    }
    if len(said) > 1:
        said["all together"] = [one for answers in list(said.values()) for one in answers]
    return {person: _score(method, answers) for person, answers in said.items()}


def _score(method: str, said: Sequence[tuple[str, bool]]) -> Score:
    """(certainty, whether the method was chosen) of each pair."""
    chosen = sum(ours for _, ours in said)
    for_it, against = (
        {name: sum(ours is wanted and certainty == name for certainty, ours in said) for name in CERTAINTIES.values()}
        for wanted in (True, False)
    )
    return Score(method, len(said), chosen, for_it, against, at_least(chosen, len(said)))


def at_least(chosen: int, pairs: int) -> float:
    """The chance of ``chosen`` and more heads in so many tosses of a coin."""
    return float(sum(math.comb(pairs, k) for k in range(chosen, pairs + 1)) / 2**pairs)


def _counted(certain: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in certain.items())
