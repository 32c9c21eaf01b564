"""Cutting a face out as a recognition network wants it: five points, a similarity transform, differentiable resampling.

A chip is the square that the network sees; its coordinates are −1…1 as the crop's (``engine.conventions``).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from engine.landmark_indices import ALIGNMENT_POINTS

FINEST = 8  # at most so many samples, squared, for one pixel of a chip


def points_of(landmarks: Tensor) -> Tensor:
    """(N, 478, 2) landmarks in crop coordinates → (N, 5, 2), what ``IdentityNetwork`` aligns by (``ALIGNMENT_POINTS``)."""
    return landmarks[:, list(ALIGNMENT_POINTS)]


def similarity(template: Tensor, points: Tensor) -> Tensor:
    """(5, 2) → (N, 5, 2): (N, 2, 3) the turn, scale and shift that lays the template on the points in the least squares."""
    from_mean, to_mean = template.mean(0), points.mean(1)
    a, b = template - from_mean, points - to_mean[:, None]
    size = a.square().sum()
    cosine = (a * b).sum((1, 2)) / size
    sine = (a[:, 0] * b[:, :, 1] - a[:, 1] * b[:, :, 0]).sum(1) / size
    turn = torch.stack([torch.stack([cosine, -sine], 1), torch.stack([sine, cosine], 1)], 1)
    return torch.cat([turn, (to_mean - from_mean @ turn.transpose(1, 2))[:, :, None]], 2)


def cut_chips(pictures: Tensor, points: Tensor, template: Tensor, size: int) -> Tensor:
    """(N, 3, S, S) pictures, (N, 5, 2) points in them, (5, 2) where a chip has these → (N, 3, size, size).

    Where a chip's pixel covers several of the picture it is their mean. The gradient reaches the pictures, not the points.
    """
    with torch.no_grad():
        transform = similarity(template, points.to(pictures.dtype))
        pitch_px = float(transform[:, 0, :2].norm(dim=1).max()) * pictures.shape[-1] / size
        finer = min(max(math.ceil(pitch_px - 0.05), 1), FINEST)
        grid = functional.affine_grid(transform, [len(pictures), 3, size * finer, size * finer], align_corners=False)
    fine = functional.grid_sample(pictures, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return functional.avg_pool2d(fine, finer) if finer > 1 else fine
