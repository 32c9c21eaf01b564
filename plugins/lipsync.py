"""A mouth that follows the voice: while no face is seen, or always."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from engine.values import EXPRESSION_NAMES, Floats
from engine.visemes import HOP, RATE_HZ, SILENCE, VISEMES, VisemeRecogniser
from vcam.motion import MotionFrame
from vcam.plugins import PluginContext, PluginSettings

LIPS_S = 0.015  # time constant with which jaw and lips follow
TAKE_OVER_S = 0.25  # from the driver's mouth to the voice's, and back
SETTLED_S = 2.0  # after so long without a driver what is shown is the portrait's own mouth
SILENT_S, CLOSES_S = 0.15, 0.2  # without a block of sound for so long the mouth begins to close, and takes so long

HALF_VOICED = 0.5  # probability of speech at which the mouth is half as open as its visemes say
HALF_CLOSED = 0.3  # probability of a p, b or m at which the lips are half closed, whatever else it may be
SPREAD = 0.25  # both go from none to whole within so much more and less

SHAPES: Mapping[str, Mapping[str, float]] = {  # viseme → coefficients; those without a side are of both
    "sil": {},
    "PP": {"mouthPress": 0.3, "mouthRollLower": 0.2, "mouthRollUpper": 0.1},
    "FF": {"jawOpen": 0.1, "mouthRollLower": 0.5, "mouthUpperUp": 0.45},
    "TH": {"jawOpen": 0.16, "mouthLowerDown": 0.25, "mouthUpperUp": 0.1},
    "DD": {"jawOpen": 0.1, "mouthLowerDown": 0.22, "mouthUpperUp": 0.1, "mouthStretch": 0.1},
    "kk": {"jawOpen": 0.18, "mouthLowerDown": 0.2},
    "CH": {"jawOpen": 0.08, "mouthFunnel": 0.3, "mouthPucker": 0.3},
    "SS": {"jawOpen": 0.05, "mouthLowerDown": 0.35, "mouthUpperUp": 0.2, "mouthStretch": 0.2},
    "nn": {"jawOpen": 0.11, "mouthLowerDown": 0.15},
    "RR": {"jawOpen": 0.14, "mouthFunnel": 0.15, "mouthPucker": 0.25},
    "aa": {"jawOpen": 0.5, "mouthLowerDown": 0.25, "mouthUpperUp": 0.1},
    "E": {"jawOpen": 0.28, "mouthLowerDown": 0.25, "mouthUpperUp": 0.12, "mouthStretch": 0.2},
    "ih": {"jawOpen": 0.17, "mouthLowerDown": 0.25, "mouthStretch": 0.3},
    "oh": {"jawOpen": 0.36, "mouthFunnel": 0.2, "mouthPucker": 0.35},
    "ou": {"jawOpen": 0.1, "mouthFunnel": 0.1, "mouthPucker": 0.6},
}
SIDED = ("mouthPress", "mouthLowerDown", "mouthUpperUp", "mouthStretch")
MOVED = tuple(
    name
    for name in EXPRESSION_NAMES
    if name in ("jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthRollLower", "mouthRollUpper")
    or name.startswith((*SIDED, "mouthShrug"))
)
"""What speech moves. Smiles and all else stay the driver's."""
INDICES = [EXPRESSION_NAMES.index(name) for name in MOVED]


class LipsyncSettings(PluginSettings):
    """[plugins.lipsync]"""

    when: Literal["lost", "always"] = Field("lost", description='"lost" = while no face is seen; "always" = also while one is')
    strength: float = Field(1.0, ge=0.0, le=2.0, description="how far the mouth moves, 0…2; 1 = as tuned")


class LipsyncPlugin:
    """Moves the mouth as the voice sounds, while no face is seen or always."""

    order = 20
    budget_ms = 1.0

    Settings = LipsyncSettings

    def start(self, context: PluginContext[LipsyncSettings]) -> None:
        self._always = context.settings.when == "always"
        self._voice = Voice(context.settings.strength)
        self._rest = RestingMouth()
        self._heard = np.zeros(len(MOVED), np.float32), -math.inf  # mouth and when
        self._share, self._before_s = 0.0, -math.inf

    def on_audio(self, block: Floats, time: float) -> None:
        self._heard = self._voice.hear(block), time

    def on_motion(self, motion: MotionFrame, time: float) -> MotionFrame:
        mouth, heard_s = self._heard
        rest = self._rest.of(motion, time)
        wanted = 1.0 if self._always or motion.state != "driving" else 0.0
        step = max(0.0, time - self._before_s) / TAKE_OVER_S
        self._share = min(wanted, self._share + step) if wanted > self._share else max(wanted, self._share - step)
        self._before_s = time
        shown = rest + mouth * (1 - smooth((time - heard_s - SILENT_S) / CLOSES_S))
        expression = motion.z.expression
        expression[INDICES] += smooth(self._share) * (np.clip(shown, 0, 1) - expression[INDICES])
        return motion


class Voice:
    """What the mouth does that is heard."""

    def __init__(self, strength: float) -> None:
        self._recogniser, self._shapes = VisemeRecogniser(), strength * shapes()
        self._mouth = np.zeros(len(MOVED), np.float32)

    def hear(self, block: Floats) -> Floats:
        """(480,) the next 10 ms → (M,) departures of ``MOVED`` from the mouth at rest."""
        wanted = mouth_of(self._recogniser.hear(block), self._shapes)
        self._mouth = self._mouth + FOLLOWS * (wanted - self._mouth)
        return self._mouth


FOLLOWS = np.float32(1 - math.exp(-HOP / RATE_HZ / LIPS_S))


def mouth_of(probabilities: Floats, shapes: Floats) -> Floats:
    """(15,) probabilities of visemes, (15, M) shapes → (M,): their mean; lips that close close whole, noise moves none."""
    labial = VISEMES.index("PP")
    voiced = smooth(0.5 + (1 - probabilities[SILENCE] - HALF_VOICED) / (2 * SPREAD))
    closed = smooth(0.5 + (probabilities[labial] - HALF_CLOSED) / (2 * SPREAD))
    mean = probabilities @ shapes
    return np.asarray(voiced * (mean + closed * (shapes[labial] - mean)), np.float32)


def shapes() -> Floats:
    """(15, M) ``SHAPES`` in the order of ``VISEMES`` and ``MOVED``."""
    table = np.zeros((len(VISEMES), len(MOVED)), np.float32)
    for viseme, shape in SHAPES.items():
        for name, value in shape.items():
            for side in ("Left", "Right") if name in SIDED else ("",):
                table[VISEMES.index(viseme), MOVED.index(name + side)] = value
    return table


@dataclass(frozen=True)
class SeenRest:
    """The mouth of the portrait ``avatar_id`` when nobody moves it."""

    avatar_id: int
    mouth: Floats


class RestingMouth:
    """The portrait's own mouth, learned while nobody moves it; closed until then."""

    def __init__(self) -> None:
        self._seen: SeenRest | None = None
        self._driven_s = -math.inf

    def of(self, motion: MotionFrame, time_s: float) -> Floats:
        """(M,) of the portrait that ``motion`` is for."""
        if motion.state in ("driving", "holding"):
            self._driven_s = time_s
        elif motion.state == "waiting" or time_s - self._driven_s > SETTLED_S:
            self._seen = SeenRest(motion.avatar_id, motion.z.expression[INDICES])
        known = self._seen is not None and self._seen.avatar_id == motion.avatar_id
        return self._seen.mouth if self._seen is not None and known else np.zeros(len(MOVED), np.float32)


def smooth(share: float) -> float:
    """0…1, with a soft beginning and end."""
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)
