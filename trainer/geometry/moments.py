"""What an evaluated portrait is asked to do: turns, nods, leans, gaze, and every named expression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from engine.values import EXPRESSION, EXPRESSION_NAMES, Coefficients, Floats

THREE_QUARTER_DEG = 25.0  # a portrait that looks aside
HALF_JAW = 0.5  # what needs an open mouth gets so much of one
NEEDS_JAW = ("mouthClose", "tongueOut")
STRENGTH = {"jawOpen": 0.6, "mouthClose": 0.45}  # of the others 1
BODY_TURN, BODY_SHIFT = np.float32(1 / 3), np.float32(1 / 2)  # of the head's, that shoulders go along


@dataclass(frozen=True)
class Moment:
    """A departure from rest.

    name        unique
    group       moments that are summed up together
    start_deg   the yaw at which the portrait was taken
    turn_deg    pitch, yaw, roll added to the portrait's own
    shift_dm    x, y, z added to its place
    gaze        sine toward the person's left, and up, of both eyes
    expression  name → 0…1
    """

    name: str
    group: str
    start_deg: float = 0.0
    turn_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    shift_dm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gaze: tuple[float, float] = (0.0, 0.0)
    expression: Mapping[str, float] = field(default_factory=dict)

    def of_person(self, rest: Coefficients) -> Coefficients:
        """z of a person who is at rest, all β and τ 0."""
        return self._moved(rest, self.beta(), self.shift)

    def of_portrait(self, own: Coefficients, nearer: float) -> Coefficients:
        """z_des of a portrait whose z was found to be ``own``: from there to this moment's β. ``nearer``: by what its depth must
        be multiplied to be the person's, for a square of a picture is seen with a longer lens."""
        asked = self.beta()
        return self._moved(own, own.expression + asked * (1 - own.expression), self.shift * np.array([1, 1, 1 / nearer]))

    def beta(self) -> Floats:
        """(64,) β, 0 where nothing is asked."""
        beta = np.zeros(EXPRESSION, np.float32)
        for name, value in self.expression.items():
            beta[EXPRESSION_NAMES.index(name)] = value
        return beta

    @property
    def turn(self) -> Floats:
        """(3,) [rad]."""
        return np.radians(self.turn_deg).astype(np.float32)

    @property
    def shift(self) -> Floats:
        """(3,) [dm]."""
        return np.array(self.shift_dm, np.float32)

    def _moved(self, z: Coefficients, expression: Floats, shift: Floats) -> Coefficients:
        pose = z.pose + np.concatenate([self.turn, shift]).astype(np.float32)
        return replace(z, expression=expression.astype(np.float32), pose=pose, gaze=z.gaze + np.array(self.gaze * 2, np.float32))


def rest(start_deg: float) -> Moment:
    """The portrait itself."""
    return Moment("rest", "rest", start_deg)


def all_moments() -> list[Moment]:
    """Turns of up to 40° either way, turns of a three-quarter portrait, nods, leans, gaze, expressions."""
    turns = [
        Moment(f"yaw {angle:+d}", f"yaw {abs(angle)}", turn_deg=(0, angle, 0)) for a in (10, 20, 30, 40) for angle in (a, -a)
    ]
    aside = [
        Moment(f"aside, yaw {angle:+d}", "aside, back" if angle < 0 else "aside, on", THREE_QUARTER_DEG, (0, angle, 0))
        for angle in (12, -15, -30, -50)
    ]
    nods = [Moment(f"pitch {angle:+d}", "pitch 12", turn_deg=(angle, 0, 0)) for angle in (12, -12)]
    tilts = [Moment(f"roll {angle:+d}", "roll 12", turn_deg=(0, 0, angle)) for angle in (12, -12)]
    both = [
        Moment("yaw +20, pitch +10", "turn and nod", turn_deg=(10, 20, 0)),
        Moment("yaw -20, pitch -10", "turn and nod", turn_deg=(-10, -20, 0)),
    ]
    leans = [
        Moment("lean left", "lean", shift_dm=(0.3, 0, 0)),
        Moment("lean right", "lean", shift_dm=(-0.3, 0, 0)),
        Moment("lean in", "lean", shift_dm=(0, 0, 1.5)),
        Moment("lean out", "lean", shift_dm=(0, 0, -1.5)),
    ]
    looks = {"left": (0.35, 0.0), "right": (-0.35, 0.0), "up": (0.0, 0.2), "down": (0.0, -0.25)}
    gaze = [Moment(f"look {way}", "gaze", gaze=where, expression=_lids(where[1])) for way, where in looks.items()]
    return turns + aside + nods + tilts + both + leans + gaze + _expressions()


def _lids(up: float) -> dict[str, float]:
    """Lids go with the gaze."""
    way, amount = ("Up", up) if up > 0 else ("Down", -up)
    return {f"eyeLook{way}{side}": amount / 0.42 for side in ("Left", "Right")} if amount else {}


def _expressions() -> list[Moment]:
    """Every named shape but the gaze's own; what both sides have they do together."""
    found = []
    for name in EXPRESSION_NAMES:
        if name.startswith("eyeLook") or (name.endswith("Right") and f"{name[:-5]}Left" in PAIRED):
            continue
        names = [name, f"{name[:-4]}Right"] if name in PAIRED else [name]
        asked = dict.fromkeys(names, STRENGTH.get(name, 1.0))
        if name in NEEDS_JAW:
            asked["jawOpen"] = HALF_JAW
        found.append(Moment(name.removesuffix("Left") if name in PAIRED else name, "expression", expression=asked))
    return found


SINGLE = ("jawLeft", "mouthLeft")  # to one side, not of one side
PAIRED = tuple(name for name in EXPRESSION_NAMES if name.endswith("Left") and name not in SINGLE)
