"""Light as a few lamps and a sky, exactly representable by γ's nine harmonics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.render.lighting import harmonics
from engine.values import Floats
from trainer.data.synthetic.noise import between, chance


@dataclass(frozen=True, eq=False)
class Light:
    """illumination (27,) γ of all light and key_illumination (27,) of the strongest lamp alone, which stands in direction ``key``
    (3,), a unit vector in camera space, and casts shadows of ``shadow`` 0…1; glint, strength of its highlights."""

    illumination: Floats
    key_illumination: Floats
    key: Floats
    glint: float
    shadow: float


def draw_light(rng: np.random.Generator) -> Light:
    """A room: light from everywhere, a key lamp or window, sometimes a second one and light from a screen; any exposure."""
    gamma = np.zeros((9, 3), np.float32)
    gamma[0] = _tint(rng, 0.05)
    gamma[1] += between(rng, -0.05, 0.25) * gamma[0]  # ceilings are brighter than floors
    key = _direction(between(rng, -80, 80), between(rng, -10, 65))
    strength = between(rng, 0.05, 0.75) ** 1.3
    key_gamma = _lamp(key, strength, _tint(rng, 0.1))
    gamma += key_gamma
    if chance(rng, 0.35):
        gamma += _lamp(_direction(between(rng, -150, 150), between(rng, -20, 60)), between(rng, 0.05, 0.35), _tint(rng, 0.2))
    if chance(rng, 0.2):  # a screen in front
        gamma += _lamp(_direction(between(rng, -15, 15), between(rng, -35, 0)), between(rng, 0.05, 0.3), _tint(rng, 0.15))
    exposure = float(np.clip(rng.normal(0.9, 0.17), 0.35, 1.3))
    scale = exposure / _brightness(gamma)
    shadow = between(rng, 0.2, 1.0) if chance(rng, 0.7) else 0.0
    return Light((gamma * scale).reshape(-1), (key_gamma * scale).reshape(-1), key, strength * scale, shadow)


def _lamp(direction: Floats, strength: float, colour: Floats) -> Floats:
    """(9, 3) the light's own harmonics: the basis of ``engine.render.lighting`` without Lambert's factors 1, 2/3, 1/4."""
    own = harmonics(direction[None])[0] / np.array([1] + [2 / 3] * 3 + [1 / 4] * 5)
    return np.asarray(strength * own[:, None] * colour, np.float32)


def _direction(azimuth_deg: float, height_deg: float) -> Floats:
    a, h = np.deg2rad([azimuth_deg, height_deg])
    return np.array([np.sin(a) * np.cos(h), np.sin(h), np.cos(a) * np.cos(h)], np.float32)


def _tint(rng: np.random.Generator, spread: float) -> Floats:
    """Warm to cool, a little green or magenta."""
    warm, green = rng.normal(0, spread), rng.normal(0, spread * 0.3)
    return np.array([1 + warm, 1 + green, 1 - warm], np.float32).clip(0.3, 1.7)


def _brightness(gamma: Floats) -> float:
    """The mean irradiance on the parts of a face that look toward the viewer."""
    fronts = np.stack([_direction(a, h) for a in (-50, -20, 0, 20, 50) for h in (-30, 0, 30)])
    return float(np.maximum(harmonics(fronts) @ gamma, 0).mean())
