"""Random changes of an example: spectacles, a beard, turned, shifted, scaled, mirrored, photographed badly; labels follow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.values import Coefficients
from trainer.data.mirror import Mirror
from trainer.data.similarity import Similarity
from trainer.regressor.accessories import with_beard, with_spectacles
from trainer.regressor.examples import Example
from trainer.regressor.webcam import LIT, lit_from_a_side, photographed

TURN_RAD, SHIFT, SCALE = 0.12, 0.03, 0.04  # standard deviations
MIRRORED, SPECTACLES, BEARD = 0.5, 0.2, 0.1  # how often
NO_LIGHT = np.array([1, 1, 1, 0, 1, 1], np.float32)  # trust in the order of GROUPS


def augment(example: Example, rng: np.random.Generator, mirror: Mirror, size_px: int) -> Example:
    """A random variation of an example, its image resampled to ``size_px``."""
    if rng.random() < MIRRORED:
        example = mirrored(example, mirror)
    example = dressed(example, rng)
    turn = float(rng.normal(0, TURN_RAD))
    scale = float(np.exp(rng.normal(0, SCALE)))
    x, y = rng.normal(0, SHIFT, 2)
    example = moved(example, Similarity(turn, scale, (float(x), float(y))), size_px)
    gains = np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.05, 3)).astype(np.float32)
    image, trust = example.image.astype(np.float32) * gains, example.trust
    if rng.random() < LIT:
        image, trust = lit_from_a_side(image, rng), trust * NO_LIGHT
    z = Coefficients.from_vector(example.z)
    light = (z.illumination.reshape(9, 3) * gains).reshape(-1)
    return replace(example, image=photographed(image, rng), z=replace(z, illumination=light).vector(), trust=trust)


def dressed(example: Example, rng: np.random.Generator) -> Example:
    """At times with a beard, with spectacles, or both."""
    image, landmarks_px = example.image, (example.landmarks + 1) * example.image.shape[0] / 2
    if rng.random() < BEARD:
        image = with_beard(image, landmarks_px, rng)
    if rng.random() < SPECTACLES:
        image = with_spectacles(image, landmarks_px, rng)
    return replace(example, image=image)


def resized(example: Example, size_px: int) -> Example:
    """An example as it is, its image resampled to ``size_px``."""
    return moved(example, Similarity(0.0, 1.0, (0.0, 0.0)), size_px)


def mirrored(example: Example, mirror: Mirror) -> Example:
    """Left and right exchanged. The bases of identity and texture know no mirror: their coefficients are not trusted after it."""
    z = mirror.z(Coefficients.from_vector(example.z))
    trust = example.trust * np.array([0, 1, 0, 1, 1, 1], np.float32)
    return replace(
        example,
        image=np.ascontiguousarray(example.image[:, ::-1]),
        z=z.vector(),
        trust=trust,
        landmarks=mirror.points(example.landmarks),
    )


def moved(example: Example, similarity: Similarity, size_px: int) -> Example:
    """The picture moved and resampled to ``size_px``."""
    z = similarity.z(Coefficients.from_vector(example.z))
    image, landmarks = similarity.picture(example.image, size_px), similarity.points(example.landmarks)
    return replace(example, image=image, z=z.vector(), landmarks=landmarks)
