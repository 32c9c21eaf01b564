"""Photographs that are moved by other people, and these people: what tables 2 and 3 need of each, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.errors import InputError
from engine.portrait import load_portrait
from engine.values import BLINKS, Coefficients, Floats, Picture
from trainer.generator.judge.methods import Draw, Method
from trainer.generator.judge.panel import Panel, Seen, Witness
from trainer.generator.judge.takes import calmest, steady_take
from trainer.generator.sitter import Sitter

CLOSED = 0.6  # blink score of closed eyes, where a clip shows none
SHUT, WIDEST_GAZE = 1.0, 0.6


@dataclass(frozen=True, eq=False)
class Posed:
    """A portrait with everything that draws it. ``features``: of it and of its mirror image, for the Fréchet distance."""

    name: str
    witness: Witness
    sitter: Sitter
    draws: Mapping[str, Draw]
    features: tuple[Floats, ...]


@dataclass(frozen=True, eq=False)
class Driver:
    """Consecutive pictures (512, 512, 3) of somebody else, what is seen in each, and in the calmest."""

    name: str
    fps: float
    pictures: list[Picture]
    seen: list[Seen]
    rest: Seen

    @property
    def closed(self) -> Floats:
        """(2,) blink coefficients of the eyes when closed, left and right."""
        most = np.max([one.z.expression[BLINKS] for one in self.seen], axis=0)
        return np.asarray(np.maximum(most, CLOSED), np.float32)


def pose(panel: Panel, methods: Mapping[str, Method], path: Path) -> Posed:
    """Prepares a photograph for all methods. Raises InputError."""
    crop = load_portrait(path).crop
    try:
        witness = Witness(panel, crop)
    except InputError as error:
        raise InputError(f"{path}: the face is not found again in the square around it; take another photograph.") from error
    sitter = Sitter.fitted(panel.head, crop, witness.face)
    mirrored = np.ascontiguousarray(crop[:, ::-1])
    features = (witness.first.features, panel.features_of(mirrored))
    return Posed(path.stem, witness, sitter, {name: method(sitter) for name, method in methods.items()}, features)


def watch(panel: Panel, path: Path, most: int) -> Driver:
    """The longest run of frames in one square, among the first ``most``. Raises InputError."""
    take = steady_take(path, panel.tracker, most)
    witness = Witness(panel, take.crops[calmest(take.faces)])
    both = [(crop, seen) for crop in take.crops if (seen := witness.look(crop)) is not None]
    if len(both) < 3:
        raise InputError(f"{path}: its first {most} frames show a face in one place for less than three frames.")
    fps = (len(take.times_s) - 1) / max(take.times_s[-1] - take.times_s[0], 1e-3)
    return Driver(path.stem, fps, [crop for crop, _ in both], [seen for _, seen in both], witness.first)


def drive(own: Coefficients, now: Coefficients, rest: Coefficients, closed: Floats) -> Coefficients:
    """z_des: the portrait's own z and the driver's departure from rest, as the camera does it (section 3.1, made relative).

    Eyelids go from the portrait's own opening to shut as the driver's go from theirs to ``closed`` (2,).
    """
    expression = np.clip(own.expression + now.expression - rest.expression, np.minimum(own.expression, 0), SHUT)
    lids, at_rest = own.expression[BLINKS], rest.expression[BLINKS]
    closing = (now.expression[BLINKS] - at_rest) / np.maximum(closed - at_rest, 0.1)
    expression[BLINKS] = np.clip(lids + closing * (SHUT - lids), np.minimum(lids, 0), SHUT)
    gaze = np.clip(own.gaze + now.gaze - rest.gaze, -WIDEST_GAZE, WIDEST_GAZE)
    return replace(own, expression=expression, pose=own.pose + now.pose - rest.pose, gaze=gaze)


def change(now: Coefficients, rest: Coefficients) -> Coefficients:
    """By how much expression, pose and gaze differ from rest."""
    return replace(now, expression=now.expression - rest.expression, pose=now.pose - rest.pose, gaze=now.gaze - rest.gaze)
