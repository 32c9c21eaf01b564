"""Random changes of a pair that keep it true: other light, left for right, elsewhere in the picture; and who it is, forgotten.

Without them a network learns a small set of people by heart, and changes strangers toward them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.values import Coefficients, Floats, Picture
from trainer.data.mirror import OF_PLACE, OF_POSE, Mirror
from trainer.data.shards import CROP_PX
from trainer.data.similarity import Similarity
from trainer.generator.scenes import SourcePhoto, TargetFrame

MIRRORED, MOVED = 0.5, 0.7  # how often
BRIGHTER, TINTED, STEEPER = 0.15, 0.1, 0.12  # standard deviations: of log exposure, of each colour's, of log gamma
NEARER, TURN_RAD = 1.3, 0.17  # the most that a pair is enlarged and turned
FORGOTTEN, FORGOTTEN_LIGHT = 1.0, 0.15  # standard deviations that are added to α and δ, and to γ


@dataclass(frozen=True)
class TrainingPair:
    """A source and one moment of it."""

    source: SourcePhoto
    moment: TargetFrame


def augment(pair: TrainingPair, rng: np.random.Generator, mirror: Mirror) -> TrainingPair:
    """A random variation of a pair."""
    if rng.random() < MIRRORED:
        pair = mirrored(pair, mirror)
    if rng.random() < MOVED:
        pair = moved(pair, draw_similarity(rng))
    gains = np.exp(rng.normal(0, BRIGHTER) + rng.normal(0, TINTED, 3))
    return forgotten(recoloured(pair, gains, float(np.exp(rng.normal(0, STEEPER)))), rng)


def forgotten(pair: TrainingPair, rng: np.random.Generator) -> TrainingPair:
    """z_des with noise on α, δ and γ: eighty exact numbers are a name, and who it is shall be seen in the photograph."""
    z = Coefficients.from_vector(pair.moment.z)
    identity = z.identity + rng.normal(0, FORGOTTEN, z.identity.shape).astype(np.float32)
    texture = z.texture + rng.normal(0, FORGOTTEN, z.texture.shape).astype(np.float32)
    illumination = z.illumination + rng.normal(0, FORGOTTEN_LIGHT, z.illumination.shape).astype(np.float32)
    z = replace(z, identity=identity, texture=texture, illumination=illumination)
    return replace(pair, moment=replace(pair.moment, z=z.vector()))


def draw_similarity(rng: np.random.Generator) -> Similarity:
    """Enlarged, turned and shifted by no more than what keeps the picture full."""
    scale = float(rng.uniform(1, NEARER))
    # (1 + |shift|)·(cos + |sin|) ≤ scale keeps the corners of the new picture inside the old one; cos + |sin| ≤ 1 + |turn|
    most = min(TURN_RAD, scale - 1)
    turn = float(rng.uniform(-most, most))
    slack = scale / (np.cos(turn) + abs(np.sin(turn))) - 1
    x, y = rng.uniform(-slack, slack, 2)
    return Similarity(turn, scale, (float(x), float(y)))


def moved(pair: TrainingPair, similarity: Similarity) -> TrainingPair:
    """Source and moment seen by a camera that is turned, nearer and panned: a flow leads from moved place to moved place."""
    source, moment = pair.source, pair.moment

    def picture(old: Picture) -> Picture:
        return similarity.picture(old, CROP_PX)

    def plane(old: NDArray[Any]) -> NDArray[Any]:
        return similarity.plane(old, CROP_PX)

    turn = Similarity(similarity.turn_rad, 1.0, (0.0, 0.0))
    centre = similarity.points(moment.tight[None, :2] * (2 / CROP_PX) - 1)[0]
    tight = np.array([*(centre + 1) * (CROP_PX / 2), moment.tight[2] * similarity.scale], np.float32)
    return TrainingPair(
        SourcePhoto(
            picture(source.photo),
            plane(source.matte),
            picture(source.foreground),
            picture(source.plate),
            similarity.z(Coefficients.from_vector(source.z)).vector(),
            similarity.points(source.points),
        ),
        TargetFrame(
            similarity.z(Coefficients.from_vector(moment.z)).vector(),
            (plane(moment.flow.astype(np.float32)) @ similarity.matrix.T).astype(np.float16),
            picture(moment.render),
            plane(moment.render_weight),
            plane(moment.coverage.astype(np.uint8)) > 0,
            similarity.points(moment.points),
            tight,
            turn.pose(moment.tight_pose),
            None if moment.target is None else picture(moment.target),
        ),
    )


def recoloured(pair: TrainingPair, gains: Floats, gamma: float) -> TrainingPair:
    """Every picture of the pair with (3,) gains per colour and a gamma; γ follows the gains."""
    levels = np.arange(256)[None, :, None] / 255
    curve = np.clip(levels**gamma * gains * 255 + 0.5, 0, 255).astype(np.uint8)

    def picture(old: Picture) -> Picture:
        return np.asarray(cv2.LUT(old, curve), np.uint8)

    source, moment = pair.source, pair.moment
    target = None if moment.target is None else picture(moment.target)
    return TrainingPair(
        replace(
            source,
            photo=picture(source.photo),
            foreground=picture(source.foreground),
            plate=picture(source.plate),
            z=_lit(source.z, gains),
        ),
        replace(moment, render=picture(moment.render), target=target, z=_lit(moment.z, gains)),
    )


def mirrored(pair: TrainingPair, mirror: Mirror) -> TrainingPair:
    """Left and right exchanged."""
    source, moment = pair.source, pair.moment
    return TrainingPair(
        SourcePhoto(
            source.photo[:, ::-1],
            source.matte[:, ::-1],
            source.foreground[:, ::-1],
            source.plate[:, ::-1],
            mirror.z(Coefficients.from_vector(source.z)).vector(),
            mirror.points(source.points),
        ),
        TargetFrame(
            mirror.z(Coefficients.from_vector(moment.z)).vector(),
            moment.flow[:, ::-1] * OF_PLACE.astype(np.float16),
            moment.render[:, ::-1],
            moment.render_weight[:, ::-1],
            moment.coverage[:, ::-1],
            mirror.points(moment.points),
            moment.tight * np.array([-1, 1, 1], np.float32) + np.array([CROP_PX, 0, 0], np.float32),
            moment.tight_pose * OF_POSE,
            None if moment.target is None else moment.target[:, ::-1],
        ),
    )


def _lit(vector: Floats, gains: Floats) -> Floats:
    z = Coefficients.from_vector(vector)
    return replace(z, illumination=(z.illumination.reshape(9, 3) * gains).reshape(-1).astype(np.float32)).vector()
