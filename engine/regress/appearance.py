"""Light and texture from a photograph's pixels: γ and δ by robust ridge regression on the colours of the visible vertices."""

from __future__ import annotations

import cv2
import numpy as np

from engine.head import HeadModel
from engine.render.lighting import harmonics
from engine.values import ILLUMINATION, TEXTURE, Floats, Picture

COLOUR_NOISE = 0.08  # of a vertex's colour against model: paint, hair, shadow
LIGHT_PRIOR = 0.5  # standard deviation of γ around even white light; the constant harmonic is five times freer
ROUNDS = 4


def vertex_colours(crop: Picture, screen: Floats) -> Floats:
    """(V, 3) 0…1 colours of the crop under the projected vertices (V, 2+), averaged over a few pixels."""
    soft = cv2.GaussianBlur(crop, (0, 0), len(crop) / 256)
    pixel = ((screen[:, :2] + 1) / 2 * len(crop) - 0.5).astype(np.float32)[None]
    seen = cv2.remap(soft, pixel[..., 0], pixel[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen[0], np.float32) / 255


def fit_appearance(head: HeadModel, normals: Floats, colours: Floats, visible: Floats) -> tuple[Floats, Floats]:
    """(27,) γ and (80,) δ from vertex normals (V, 3) in camera space, colours (V, 3) 0…1 and visibility (V,) 0/1."""
    use = visible > 0
    basis, H, seen = head.albedo_basis[:, use], harmonics(normals[use]), colours[use]
    delta = np.zeros(TEXTURE, np.float32)
    trust = np.ones(len(seen), np.float32)
    gamma = np.zeros(ILLUMINATION, np.float32)
    for _ in range(ROUNDS):
        albedo = np.clip(head.mean_albedo[use] + np.tensordot(delta, basis, 1), 0.02, 1)
        gamma = _light(albedo, H, seen, trust)
        irradiance = H @ gamma.reshape(9, 3)
        delta = _texture(basis, irradiance, seen - head.mean_albedo[use] * irradiance, trust)
        error = np.linalg.norm(seen - (head.mean_albedo[use] + np.tensordot(delta, basis, 1)) * irradiance, axis=1)
        trust = (1 / (1 + (error / COLOUR_NOISE) ** 2)).astype(np.float32)
    return gamma, delta


def _light(albedo: Floats, H: Floats, seen: Floats, trust: Floats) -> Floats:
    prior = np.zeros((9, 3))
    prior[0] = 1
    precision = np.full(9, 1 / LIGHT_PRIOR**2)
    precision[0] /= 25
    gamma = np.empty((9, 3))
    for c in range(3):
        J = albedo[:, c : c + 1] * H
        w = (trust / COLOUR_NOISE**2)[:, None]
        gamma[:, c] = np.linalg.solve(J.T @ (w * J) + np.diag(precision), J.T @ (w[:, 0] * seen[:, c]) + precision * prior[:, c])
    return gamma.astype(np.float32).reshape(-1)


def _texture(basis: Floats, irradiance: Floats, residual: Floats, trust: Floats) -> Floats:
    J = (basis * irradiance).reshape(TEXTURE, -1)
    w = np.repeat(trust, 3) / COLOUR_NOISE**2
    return np.linalg.solve((J * w) @ J.T + np.eye(TEXTURE), (J * w) @ residual.reshape(-1)).astype(np.float32)
