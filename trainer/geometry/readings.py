"""What an independent tracker reads off a picture: mediapipe's own head rotation and blend-shape scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.conventions import angles
from engine.resource import Resource
from engine.track.mediapipe_models import Landmarker
from engine.track.tracker import MODEL
from engine.values import EXPRESSION_NAMES, Picture

Reading = dict[str, float]
ANGLES = ("pitch", "yaw", "roll")


@dataclass(frozen=True)
class Channel:
    """The mean of some scores less that of others; ``moments``: the names of those that ask for it."""

    moments: tuple[str, ...]
    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()


def _both(name: str) -> tuple[str, str]:
    return f"{name}Left", f"{name}Right"


SCORES = {
    "jaw": Channel(("jawOpen",), ("jawOpen",)),
    "smile": Channel(("mouthSmile",), _both("mouthSmile")),
    "inner brow": Channel(("browInnerUp",), ("browInnerUp",)),
    "brow down": Channel(("browDown",), _both("browDown")),
    "pucker": Channel(("mouthPucker",), ("mouthPucker",)),
    "funnel": Channel(("mouthFunnel",), ("mouthFunnel",)),
    "squint": Channel(("eyeSquint",), _both("eyeSquint")),
    "blink": Channel(("eyeBlink",), _both("eyeBlink")),
    "gaze x": Channel(("look left", "look right"), ("eyeLookOutLeft", "eyeLookInRight"), ("eyeLookInLeft", "eyeLookOutRight")),
    "gaze y": Channel(("look up", "look down"), _both("eyeLookUp"), _both("eyeLookDown")),
}


class Reader(Resource):
    """Reads pictures, each on its own."""

    def __init__(self) -> None:
        self._landmarker = Landmarker("picture", MODEL)

    def read(self, picture: Picture) -> Reading | None:
        """Angles [degrees], the 52 scores by name, and ``SCORES``; None where no face is found."""
        found = self._landmarker.find_posed(picture)
        if found is None:
            return None
        face, rotation = found
        scores = dict(zip(EXPRESSION_NAMES, (float(score) for score in face.blendshapes), strict=True))
        turned = dict(zip(ANGLES, (float(angle) for angle in np.degrees(angles(rotation))), strict=True))
        combined = {name: _mean(scores, channel.plus) - _mean(scores, channel.minus) for name, channel in SCORES.items()}
        return {**scores, **turned, **combined}

    def close(self) -> None:
        """Frees the model."""
        self._landmarker.close()


def _mean(scores: Mapping[str, float], names: Sequence[str]) -> float:
    return float(np.mean([scores[name] for name in names])) if names else 0.0


def difference(now: Reading | None, rest: Reading | None) -> Reading:
    """What changed; empty where one of them is missing."""
    return {} if now is None or rest is None else {name: now[name] - rest[name] for name in rest}


def slope(reference: Sequence[float], values: Sequence[float]) -> float:
    """Of the line through the origin that fits ``values`` over ``reference`` best; 0 where the reference never moves."""
    x, y = np.array(reference), np.array(values)
    return float(x @ y / (x @ x)) if np.any(x) else 0.0
