"""Lips that meet: somebody who laughs in the photograph has a mouth that can be shut.

What a landmark fit says of an open mouth is in part expression, and in part the person's shape, which no expression shuts. So the
person's lips are closed at rest, and what that takes is added to the expressions by which the photograph's mouth is open: there
the lips stay where they were.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.head.model import PersonalHead
from engine.landmark_indices import INNER_LIP_RIMS
from engine.values import BLINKS, EXPRESSION_NAMES, FACE_POINTS, JAW_OPEN, Floats

# By how much each opens lips in their middle [dm]. Those of the head model stay shut in a smile; in faces it opens them.
OPENING_DM = {
    "jawOpen": 0.05, "mouthSmileLeft": 0.03, "mouthSmileRight": 0.03, "mouthUpperUpLeft": 0.04, "mouthUpperUpRight": 0.04,
    "mouthLowerDownLeft": 0.04, "mouthLowerDownRight": 0.04,
}  # fmt: skip
UPPER_BEHIND_DM, OVERLAP_DM = 0.025, 0.015  # of the upper lip's inner edge behind the lower one's, and below it: no slit
PARTED_DM = 0.02  # lips that the photograph shows nearer than this are shut
REACH_DM, STILL_DM = 0.15, 0.3  # how far lips take the skin around them along, and from where on nothing moves
NOISE = 0.01  # of the points, against the kernel's 1: how exactly they are followed
_OPENING = np.array([OPENING_DM.get(name, 0.0) for name in EXPRESSION_NAMES], np.float32)
_MOUTH = [i for i, name in enumerate(EXPRESSION_NAMES) if name.startswith(("jaw", "mouth", "tongue"))]


def with_closing_lips(head: PersonalHead, expression: Floats, gaze: Floats) -> PersonalHead:
    """The head whose lips meet where no expression moves the mouth; with its own ``expression`` (64,) β it keeps its shape.

    Where the expressions of ``OPENING_DM`` open the mouth by less than is missing, it closes by so much.
    """
    upper, lower = (list(rim)[1:-1] for rim in INNER_LIP_RIMS)
    points = head.model.landmarks(head.shape(expression, gaze))
    if (points[upper, 1] - points[lower, 1]).max() < PARTED_DM:
        return head
    shut = expression.copy()
    shut[_MOUTH] = 0
    points = head.model.landmarks(head.shape(shut, gaze))
    missing = points[lower] - points[upper] - np.array([0, OVERLAP_DM, UPPER_BEHIND_DM], np.float32)
    gap, by_expression = float(np.linalg.norm(missing, axis=1).max()), lips_opened(expression)
    if missing[:, 1].min() >= -OVERLAP_DM or by_expression <= 0:
        return head
    missing *= min(1.0, by_expression / gap)
    closing = _spread(head, {**dict(zip(upper, missing / 2, strict=True)), **dict(zip(lower, -missing / 2, strict=True))})
    basis = head.model.expression_basis.copy()
    basis[: len(_OPENING)] -= (_OPENING / by_expression)[:, None, None] * closing
    return PersonalHead(replace(head.model, expression_basis=basis), head.rest + closing)


def lips_opened(expression: Floats) -> float:
    """By how much expressions (64,) β open the lips, as ``OPENING_DM`` has it [dm]."""
    return float(_OPENING @ np.clip(expression[: len(_OPENING)], 0, 1))


def _spread(head: PersonalHead, moves: dict[int, Floats]) -> Floats:
    """(V, 3) a smooth motion of the head that moves landmarks by ``moves`` and does not reach beyond ``STILL_DM`` of them.

    Over a face whose mouth is wide open, where one lip is far from the other.
    """
    model = head.model
    apart = head.rest + model.expression_basis[JAW_OPEN] - model.expression_basis[BLINKS].sum(0)
    points = model.landmarks(apart)[:FACE_POINTS]
    moving = np.array(list(moves))
    distance = np.linalg.norm(points[:, None] - points[moving], axis=2).min(1)
    known = np.concatenate([moving, np.nonzero(distance > STILL_DM)[0]])
    shift = np.concatenate([np.stack(list(moves.values())), np.zeros((len(known) - len(moving), 3), np.float32)])
    coefficients = np.linalg.solve(_kernel(points[known], points[known]) + NOISE * np.eye(len(known)), shift)
    out = np.asarray(_kernel(apart, points[known]) @ coefficients, np.float32)
    out[np.concatenate(model.eyeballs)] = 0
    return out


def _kernel(a: Floats, b: Floats) -> Floats:
    """(A, B) how much points (A, 3) and (B, 3) move together."""
    squared = np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * (a @ b.T), 0)
    return np.asarray(np.exp(-squared / (2 * REACH_DM**2)), np.float32)
