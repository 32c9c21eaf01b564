"""A face as motion protocols carry it, in this program's units and signs, and the checks that every packet passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.values import EXPRESSION_NAMES, Coefficients, Floats

LARGEST_SHAPE = 4.0  # apps let users raise the gain of a shape; more than this is no score
LARGEST_ANGLE_RAD = 2 * np.pi
LARGEST_PLACE_DM = 100.0
LOOK_RAD = np.radians(35.0)  # an eye's rotation when its look score is 1: ARKit's frames show 35°…41°

LOOKS = ("Out", "In", "Up", "Down")
LEFT_LOOKS, RIGHT_LOOKS = ([EXPRESSION_NAMES.index(f"eyeLook{way}{side}") for way in LOOKS] for side in ("Left", "Right"))
NAMED = {name.casefold(): index for index, name in enumerate(EXPRESSION_NAMES)}


class PacketError(ValueError):
    """A packet that is not what the protocol says; its text tells what was wanted and what was got."""


@dataclass(frozen=True)
class StreamedFace:
    """One face at one moment.

    expression  (52,) 0…1, ``EXPRESSION_NAMES``
    angles_rad  (3,) pitch, yaw, roll as in ``engine.conventions``
    place_dm    (3,) x, y, z as in ``engine.conventions``; zeros where the protocol has no place
    gaze        (4,) τ
    found       whether the sender sees a face
    order       a number that rises with every packet of the sender [s]; None where the protocol has none
    """

    expression: Floats
    angles_rad: Floats
    place_dm: Floats
    gaze: Floats
    found: bool = True
    order: float | None = None

    def coefficients(self) -> Coefficients:
        """z with this motion and a neutral rest."""
        z = Coefficients.neutral()
        z.expression[: len(EXPRESSION_NAMES)] = self.expression
        z.pose[:3], z.pose[3:], z.gaze[:] = self.angles_rad, self.place_dm, self.gaze
        return z


def no_face(order: float | None = None) -> StreamedFace:
    """What a sender says that sees nobody."""
    zeros = np.zeros(3, np.float32)
    return StreamedFace(np.zeros(len(EXPRESSION_NAMES), np.float32), zeros, zeros, np.zeros(4, np.float32), False, order)


def checked_face(
    expression: Floats, angles_rad: Floats, place_dm: Floats, gaze: Floats | None = None, order: float | None = None
) -> StreamedFace:
    """The face of a packet's numbers; ``gaze`` None = as the look scores say. Scores are cut to 0…1.

    Raises PacketError for numbers that are not finite or out of all range.
    """
    for what, values, largest in (
        ("expression", expression, LARGEST_SHAPE),
        ("head angle", angles_rad, LARGEST_ANGLE_RAD),
        ("head position", place_dm, LARGEST_PLACE_DM),
        ("gaze", np.zeros(4) if gaze is None else gaze, 1.0),
        ("time", np.zeros(1) if order is None else np.array([order]), np.finfo(np.float64).max),
    ):
        if not np.isfinite(values).all():
            raise PacketError(f"a {what} is not a number")
        if np.abs(values).max(initial=0) > largest:
            raise PacketError(f"a {what} is out of range")
    scores = np.clip(expression, 0, 1).astype(np.float32)
    return StreamedFace(
        scores,
        np.asarray(angles_rad, np.float32),
        np.asarray(place_dm, np.float32),
        gaze_of_looks(scores) if gaze is None else np.asarray(gaze, np.float32),
        order=order,
    )


def gaze_of_looks(expression: Floats) -> Floats:
    """(4,) τ of the eight look scores in (52,) expressions."""
    eyes = []
    for looks, outward in ((LEFT_LOOKS, 1.0), (RIGHT_LOOKS, -1.0)):
        out, inward, up, down = expression[looks]
        eyes += [np.sin(LOOK_RAD * outward * (out - inward)), np.sin(LOOK_RAD * (up - down))]
    return np.array(eyes, np.float32)


def with_looks(expression: Floats, gaze: Floats) -> Floats:
    """(52,) with the look scores of ``gaze`` (4,), for protocols that carry gaze as scores."""
    scores = expression.astype(np.float32)
    turns = np.arcsin(np.clip(gaze, -1, 1)) / LOOK_RAD
    for looks, outward, (x, y) in ((LEFT_LOOKS, 1.0, turns[:2]), (RIGHT_LOOKS, -1.0, turns[2:])):
        scores[looks] = np.clip([outward * x, -outward * x, y, -y], 0, 1)
    return scores


def named_scores(values: Mapping[str, float]) -> Floats:
    """(52,) of scores by name, in any case of letters; unknown names are left out. Raises PacketError when none is known."""
    scores, known = np.zeros(len(EXPRESSION_NAMES)), False
    for name, value in values.items():
        index = NAMED.get(name.casefold())
        if index is not None:
            scores[index], known = value, True
    if not known:
        raise PacketError("it names none of ARKit's 52 expressions")
    return scores
