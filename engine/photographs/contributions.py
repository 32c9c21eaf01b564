"""What a photograph contributes to an avatar, and what is still missing and how to take it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.photographs.further import FurtherPhotograph
from engine.values import BLINKS, EXPRESSION_NAMES, JAW_OPEN, Coefficients

HOW_TO_TAKE = {
    "teeth": "Smile so that your teeth show.",
    "open mouth": "Say a wide 'ah'.",
    "closed eyes": "Close both eyes, the rest of the face at ease.",
    "brows": "Raise your brows, as if surprised.",
    "left": "Turn your head to your left, by about half of what you can.",
    "right": "Turn your head to your right, by about half of what you can.",
}
# From where on a photograph shows it: β, how much more of it than the first photograph; a turn [rad]
SMILE, JAW, SHUT, BROWS, TURN = 0.3, 0.3, 0.6, 0.25, 0.15
SMILES, BROW_RAISERS = (
    [EXPRESSION_NAMES.index(name) for name in names]
    for names in (("mouthSmileLeft", "mouthSmileRight"), ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"))
)


def contributions(first: Coefficients, photograph: FurtherPhotograph) -> tuple[str, ...]:
    """Which of ``HOW_TO_TAKE`` a photograph shows beside the first one; none where it adds an expression of another kind."""
    beta, more = photograph.z.expression, photograph.z.expression - first.expression
    turn = float(photograph.z.pose[1] - first.pose[1])
    shown = {
        "teeth": photograph.shown.analysis.mouth_open and beta[SMILES].mean() > SMILE,
        "open mouth": photograph.shown.analysis.mouth_open and beta[JAW_OPEN] > JAW,
        "closed eyes": beta[BLINKS].min() > SHUT,
        "brows": more[BROW_RAISERS].mean() > BROWS,
        "left": turn > TURN,
        "right": turn < -TURN,
    }
    return tuple(name for name, there in shown.items() if np.any(there))


def missing(shown: Iterable[str]) -> dict[str, str]:
    """What none of the photographs shows, and how to take it."""
    there = set(shown)
    return {name: how for name, how in HOW_TO_TAKE.items() if name not in there}
