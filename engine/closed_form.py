"""Closed-form matting (Levin, Lischinski, Weiss 2008): alpha such that, in every window of 3 × 3 pixels, it is an affine
function of the colours, as it is wherever person and background each lie on a line in colour space."""

from __future__ import annotations

from itertools import product
from typing import Any

import cv2
import numba as nb
import numpy as np
from numpy.typing import NDArray

from engine.values import Floats, Mask, Picture

REACH = 2  # pixels that share a window lie at most so far apart
SPAN = 2 * REACH + 1
SMOOTH = 1e-6  # ε of the paper: how much alpha resists following the colours; colours are 0…1
TOWARD_GUESS = 0.01  # weight of the guess, where the windows' own equations add up to about 1: decides where colours do not
SCALES = ((4, 120), (2, 80), (1, 60))  # how much smaller a level is, and its conjugate gradient steps
ENOUGH = 1e-4  # of the first residual: what is left is below a level of 255
ROWS = 32  # that are worked on at once: 10 MB

Offsets = NDArray[np.int64]


def closed_form_alpha(image: Picture, sure: Floats, guess: Floats) -> Floats:
    """(H, W) 0…1. image (H, W, 3) uint8; sure (H, W): 0 background, 1 person, anything between: to be found; guess (H, W) 0…1.

    Each level of a pyramid starts from the smaller one's answer. H and W must be multiples of 4.
    """
    colours = image.astype(np.float32) / 255
    height, width = sure.shape
    alpha = guess
    for scale, steps in SCALES:
        size = (width // scale, height // scale)
        small, known, toward = (cv2.resize(field, size, interpolation=cv2.INTER_AREA) for field in (colours, sure, guess))
        start = cv2.resize(alpha, size, interpolation=cv2.INTER_LINEAR)
        alpha = solve(np.asarray(small), np.asarray(known), np.asarray(toward), np.asarray(start), steps)
    return alpha


def solve(colours: Floats, sure: Floats, guess: Floats, start: Floats, steps: int) -> Floats:
    """One level, by conjugate gradients with the diagonal as preconditioner. Arrays as above, colours 0…1, start (H, W)."""
    unknown = (sure > 0) & (sure < 1)
    field = np.pad(np.where(unknown, start, sure), REACH).astype(np.float32)
    places = np.flatnonzero(np.pad(unknown, REACH))
    if not len(places):
        return np.asarray(sure, np.float32)
    near = np.array([y * field.shape[1] + x for y, x in product(range(-REACH, REACH + 1), repeat=2)])
    stencil = laplacian(colours, unknown)[unknown]
    stencil[:, SPAN * SPAN // 2] += TOWARD_GUESS
    diagonal = np.maximum(stencil[:, SPAN * SPAN // 2], TOWARD_GUESS)
    flat, answer = field.reshape(-1), np.empty(len(places), np.float32)
    residual = TOWARD_GUESS * guess[unknown] - _apply(stencil, places, near, flat, answer)
    alpha, flat[:] = flat[places], 0
    direction = residual / diagonal
    energy = first = float(residual @ direction)
    for _ in range(steps):
        flat[places] = direction
        _apply(stencil, places, near, flat, answer)
        step = energy / max(float(direction @ answer), 1e-30)
        alpha += step * direction
        residual -= step * answer
        scaled = residual / diagonal
        before, energy = energy, float(residual @ scaled)
        if energy <= ENOUGH**2 * first:
            break
        direction = scaled + np.float32(energy / before) * direction
    result = sure.astype(np.float32)
    result[unknown] = np.clip(alpha, 0, 1)
    return result


@nb.njit(nogil=True, cache=True, fastmath=True)
def _apply(stencil: Floats, places: NDArray[np.int64], near: Offsets, field: Floats, out: Floats) -> Floats:
    """The Laplacian's rows (U, 25) times the field (flat, continued by zeros) around their places (U,)."""
    for i in range(len(places)):
        total = np.float32(0)
        for j in range(len(near)):
            total += stencil[i, j] * field[places[i] + near[j]]
        out[i] = total
    return out


def laplacian(colours: Floats, wanted: Mask) -> Floats:
    """(H, W, 25): each pixel's row of the matting Laplacian, for the 5 × 5 pixels around it; right where ``wanted`` (H, W).

    A window k with mean μ and covariance Σ of its 9 colours I adds δ_ij − (1 + (I_i − μ)ᵀ(Σ + ε/9)⁻¹(I_j − μ))/9.
    """
    height, width = wanted.shape
    rows = np.zeros((height, width, SPAN * SPAN), np.float32)
    inside = list(product(range(3), repeat=2))
    needed = cv2.dilate(wanted.astype(np.uint8), np.ones((3, 3), np.uint8))[1:-1, 1:-1] > 0
    for top in range(0, height - 2, ROWS):
        y, x = np.nonzero(needed[top : top + ROWS])
        y += top
        window = np.stack([colours[y + j, x + i] for j, i in inside], 1).astype(np.float64)
        shares = _window_shares(window)
        for a, (j, i) in enumerate(inside):
            for b, (v, u) in enumerate(inside):
                rows[y + j, x + i, (v - j + REACH) * SPAN + u - i + REACH] += shares[:, a, b]
    return rows


def _window_shares(window: NDArray[Any]) -> NDArray[Any]:
    """(K, 9, 3) colours → (K, 9, 9)."""
    centred = window - window.mean(1, keepdims=True)
    covariance = np.einsum("kai,kaj->kij", centred, centred) / 9 + SMOOTH / 9 * np.eye(3)
    affinity = centred @ np.linalg.solve(covariance, centred.transpose(0, 2, 1))
    return np.asarray(np.eye(9) - (1 + affinity) / 9)
