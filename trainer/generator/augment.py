"""Random changes of a pair that keep it true: other colours of the light, and left for right."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.values import Coefficients, Floats, Picture
from trainer.data.shards import CROP_PX
from trainer.generator.scenes import Moment, Source
from trainer.regressor.augment import HARMONICS_OF_X, Mirror

MIRRORED = 0.5
BRIGHTER, TINTED, STEEPER = 0.12, 0.06, 0.08  # standard deviations: of log exposure, of each colour's, of log gamma


@dataclass(frozen=True)
class Pair:
    """A source and one moment of it."""

    source: Source
    moment: Moment


def augment(pair: Pair, rng: np.random.Generator, mirror: Mirror) -> Pair:
    """A random variation of a pair."""
    if rng.random() < MIRRORED:
        pair = mirrored(pair, mirror)
    gains = np.exp(rng.normal(0, BRIGHTER) + rng.normal(0, TINTED, 3))
    return recoloured(pair, gains, float(np.exp(rng.normal(0, STEEPER))))


def recoloured(pair: Pair, gains: Floats, gamma: float) -> Pair:
    """Every picture of the pair with (3,) gains per colour and a gamma; γ follows the gains."""
    levels = np.arange(256)[:, None] / 255
    curve = np.clip(levels**gamma * gains * 255 + 0.5, 0, 255).astype(np.uint8)

    def picture(old: Picture) -> Picture:
        return np.stack([curve[old[..., channel], channel] for channel in range(3)], -1)

    source, moment = pair.source, pair.moment
    target = None if moment.target is None else picture(moment.target)
    return Pair(
        replace(source, photo=picture(source.photo), plate=picture(source.plate), z=_lit(source.z, gains)),
        replace(moment, render=picture(moment.render), target=target, z=_lit(moment.z, gains)),
    )


def mirrored(pair: Pair, mirror: Mirror) -> Pair:
    """Left and right exchanged. The bases of identity and texture know no mirror: α and δ stay."""
    source, moment = pair.source, pair.moment
    flow = moment.flow[:, ::-1] * np.array([-1, 1], np.float16)
    return Pair(
        Source(
            source.photo[:, ::-1],
            source.matte[:, ::-1],
            source.plate[:, ::-1],
            mirrored_z(source.z, mirror),
            _mirrored_points(source.points, mirror),
        ),
        Moment(
            mirrored_z(moment.z, mirror),
            flow,
            moment.render[:, ::-1],
            moment.render_weight[:, ::-1],
            moment.coverage[:, ::-1],
            _mirrored_points(moment.points, mirror),
            moment.tight * np.array([-1, 1, 1], np.float32) + np.array([CROP_PX, 0, 0], np.float32),
            moment.tight_pose * np.array([1, -1, -1, -1, 1, 1], np.float32),
            None if moment.target is None else moment.target[:, ::-1],
        ),
    )


def mirrored_z(vector: Floats, mirror: Mirror) -> Floats:
    """(261,) → (261,) of the mirrored picture."""
    z = Coefficients.from_vector(vector)
    light = z.illumination.reshape(9, 3).copy()
    light[list(HARMONICS_OF_X)] *= -1
    other = replace(
        z,
        expression=z.expression[mirror.expression],
        illumination=light.reshape(-1),
        pose=z.pose * np.array([1, -1, -1, -1, 1, 1], np.float32),
        gaze=z.gaze[[2, 3, 0, 1]] * np.array([-1, 1, -1, 1], np.float32),
    )
    return other.vector()


def _mirrored_points(points: Floats, mirror: Mirror) -> Floats:
    return points[mirror.landmarks] * np.array([-1, 1], np.float32)


def _lit(vector: Floats, gains: Floats) -> Floats:
    z = Coefficients.from_vector(vector)
    return replace(z, illumination=(z.illumination.reshape(9, 3) * gains).reshape(-1).astype(np.float32)).vector()
