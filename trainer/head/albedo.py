"""Albedo: the mean head's colours and 80 ways in which skin, lips, brows, hair, eyes, teeth and mouths differ. All sRGB 0…1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.values import TEXTURE
from trainer.head.masks import Masks
from trainer.head.source import Doubles

# Colours per standard deviation. Melanin darkens blue most, haemoglobin takes green and blue, both as in pictures of skin.
_MELANIN = np.array([-0.13, -0.14, -0.135])
_HAEMOGLOBIN = np.array([0.012, -0.025, -0.022])
_WARMTH = np.array([0.01, 0.003, -0.027])
_LIGHT = np.array([0.05, 0.05, 0.05])
_AXES = (_MELANIN * 0.07, _HAEMOGLOBIN * 0.2, _WARMTH * 0.2)  # of each smooth function; there are 17

_SKIN = (0.77, 0.60, 0.51)
_PAINT: tuple[tuple[str, tuple[float, float, float], float], ...] = (
    # region, colour, how much of it covers what lies under it; later ones lie on top
    ("skin", _SKIN, 1.0),
    ("cheeks", (0.78, 0.53, 0.46), 0.45),
    ("nose", (0.76, 0.54, 0.47), 0.35),
    ("ears", (0.76, 0.53, 0.46), 0.5),
    ("under-eyes", (0.66, 0.49, 0.45), 0.5),
    ("lids", (0.70, 0.51, 0.45), 0.45),
    ("beard", (0.62, 0.50, 0.45), 0.22),
    ("hair", (0.30, 0.22, 0.17), 0.8),
    ("brows", (0.30, 0.21, 0.16), 0.75),
    ("lips", (0.68, 0.39, 0.37), 0.85),
    ("lash-line", (0.25, 0.16, 0.14), 0.75),
    ("inside-mouth", (0.50, 0.20, 0.19), 1.0),
    ("gums", (0.74, 0.42, 0.41), 1.0),
    ("tongue", (0.73, 0.38, 0.38), 1.0),
    ("teeth", (0.90, 0.87, 0.79), 1.0),
    ("teeth-neck", (0.84, 0.75, 0.60), 0.55),
    ("teeth-edge", (0.86, 0.86, 0.84), 0.5),
    ("teeth-gap", (0.52, 0.40, 0.33), 0.45),
    ("sclera", (0.80, 0.77, 0.76), 1.0),
    ("sclera-edge", (0.74, 0.62, 0.60), 0.6),
    ("iris", (0.36, 0.25, 0.16), 1.0),
    ("iris-inner", (0.47, 0.34, 0.20), 0.5),
    ("limbus", (0.12, 0.09, 0.08), 0.6),
    ("pupil", (0.03, 0.03, 0.03), 1.0),
)

# Region, colour change per standard deviation.
_REGIONAL: tuple[tuple[str, NDArray[np.floating[Any]]], ...] = (
    ("lips", np.array([0.03, -0.07, -0.05])), ("lips", _MELANIN * 0.7), ("lips", np.array([0.02, -0.01, 0.05])),
    ("brows", np.array([0.16, 0.13, 0.10])), ("brows", np.array([-0.08, -0.08, -0.07])), ("brows", np.array([0.06, 0.01, -0.02])),
    ("iris", np.array([0.10, 0.11, 0.10])), ("iris", np.array([-0.07, 0.02, 0.09])), ("iris", np.array([0.0, 0.04, -0.02])),
    ("sclera", _LIGHT), ("sclera", _WARMTH),
    ("hair", np.array([0.18, 0.15, 0.12])), ("hair", np.array([0.07, 0.0, -0.04])), ("hair", _LIGHT * 2.0),
    ("beard", np.array([-0.13, -0.11, -0.09])), ("beard", np.array([0.08, 0.07, 0.06])),
    ("cheeks", _HAEMOGLOBIN * 2.5), ("cheeks", _MELANIN * 0.5), ("nose", _HAEMOGLOBIN * 2.0),
    ("lids", np.array([-0.09, -0.09, -0.06])), ("lids", _HAEMOGLOBIN * 1.5), ("under-eyes", np.array([-0.06, -0.06, -0.04])),
    ("ears", _HAEMOGLOBIN * 2.0), ("teeth", np.array([-0.04, -0.06, -0.10])), ("teeth", _LIGHT), ("tongue", _HAEMOGLOBIN * 2.0),
)  # fmt: skip


def mean_albedo(masks: Masks, openness: Doubles) -> Doubles:
    """(V, 3): the regions painted over one another, darkened where little light comes in (the mouth's depth, nostrils, ears)."""
    colours = np.zeros((len(openness), 3))
    for region, colour, strength in _PAINT:
        cover = (masks[region] * strength)[:, None]
        colours = colours * (1 - cover) + np.array(colour) * cover
    return np.clip(colours * _shadow(masks, openness)[:, None], 0, 1)


def albedo_basis(masks: Masks, shape: Doubles, openness: Doubles) -> Doubles:
    """(80, V, 3) changes per standard deviation: skin tone, single regions, then smooth functions over the face × three axes."""
    skin = masks["skin"] * (1 - masks["hair"] * 0.8) * (1 - masks["brows"] * 0.8) * (1 - masks["lash-line"] * 0.7)
    toned = skin + 0.4 * (masks["gums"] + masks["tongue"] + masks["inside-mouth"])
    changes = [toned[:, None] * axis for axis in (_MELANIN, _HAEMOGLOBIN, _WARMTH)]
    changes += [masks[region][:, None] * change for region, change in _REGIONAL]
    functions = _smooth_functions(shape, skin, -(-(TEXTURE - len(changes)) // len(_AXES)))
    changes += [(function * skin)[:, None] * axis for function in functions for axis in _AXES]
    return np.asarray(np.stack(changes[:TEXTURE]) * _shadow(masks, openness)[None, :, None])


def _shadow(masks: Masks, openness: Doubles) -> Doubles:
    """(V,) 0…1 what is left of the light: the mouth darkens fast with depth, skin only in folds; eyeballs turn, so not at all."""
    mouth = np.clip(masks["inside-mouth"] + masks["gums"] + masks["tongue"] + masks["teeth"], 0, 1)
    deep = np.clip(openness / 0.34, 0.0, 1) ** 1.1
    folds = 0.55 + 0.45 * np.clip(openness / 0.6, 0, 1)
    eyes = masks["sclera"] + masks["iris"] + masks["pupil"]
    return np.asarray(mouth * (0.03 + 0.97 * deep) + (1 - mouth) * (1 - eyes) * folds + eyes)


def _smooth_functions(shape: Doubles, weight: Doubles, count: int) -> Doubles:
    """(count, V) polynomials of the direction from the head's middle, orthonormal on the face, each of unit size there."""
    face = weight * (shape[:, 2] > 0.2)
    direction = (shape - [0, 0.05, 0.1]) / np.linalg.norm(shape - [0, 0.05, 0.1], axis=1, keepdims=True)
    x, y, z = direction.T
    powers = [
        (i, j, k)
        for degree in range(5)
        for i in range(degree + 1)
        for j in range(degree + 1 - i)
        for k in [degree - i - j]
        if k < 2
    ]
    basis = np.stack([x**i * y**j * z**k for i, j, k in powers], 1)[:, : count + 1]
    _, r = np.linalg.qr(basis * np.sqrt(face)[:, None])
    r *= np.sign(np.diag(r))[:, None]
    functions = np.linalg.solve(r.T, basis.T) * np.sqrt(face.sum())
    return np.asarray(np.clip(functions[1 : count + 1], -1.6, 1.6))
