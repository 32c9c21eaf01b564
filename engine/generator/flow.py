"""Grid, warp and resizing of flows (torch). The convention is the one of ``engine.conventions``: backward, crop coordinates."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def pixel_grid(size: int, device: torch.device | None = None) -> Tensor:
    """(1, 2, size, size) crop coordinates x, y of the pixel centres, the torch twin of ``engine.conventions.pixel_grid``."""
    axis = (2 * torch.arange(size, dtype=torch.float32, device=device) + 1) / size - 1
    return torch.stack(torch.meshgrid(axis, axis, indexing="xy"))[None]


def warp(source: Tensor, grid: Tensor) -> Tensor:
    """(N, C, h, w) sampled at (N, 2, H, W) crop coordinates → (N, C, H, W); bilinear, border padding.

    The grid is float32 whatever the features are: half-precision coordinates are off by a pixel at 512.
    """
    return _sampled(source, grid, "bilinear")


def warp_cubic(source: Tensor, grid: Tensor) -> Tensor:
    """The same, bicubic (a = −0.75): a photograph stays sharper, but next to an edge its values may exceed its range."""
    return _sampled(source, grid, "bicubic")


def _sampled(source: Tensor, grid: Tensor, mode: str) -> Tensor:
    points = grid.float().permute(0, 2, 3, 1)
    sampled = functional.grid_sample(source.float(), points, mode=mode, padding_mode="border", align_corners=False)
    return sampled.to(source.dtype)


def enlarge(x: Tensor, factor: int) -> Tensor:
    """UP of eq. 11 and 12: bilinear, by a whole number; a flow keeps its values, for it is in crop coordinates."""
    if factor == 1:
        return x
    return functional.interpolate(x, scale_factor=float(factor), mode="bilinear", align_corners=False)


def shrink(x: Tensor, size: int) -> Tensor:
    """(N, C, H, H) → (N, C, size, size) by averaging; H must be a multiple of ``size``."""
    factor = x.shape[-1] // size
    return x if factor == 1 else functional.avg_pool2d(x, factor)
