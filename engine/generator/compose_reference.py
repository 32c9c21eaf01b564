"""The compositor in plain numpy: the readable twin that ``compose_fast`` and ``compose_torch`` must match."""

from __future__ import annotations

import numpy as np

from engine.conventions import pixel_grid
from engine.generator.upsampling import POINTS, upsampled
from engine.sampling import cubic_weights, sample
from engine.values import Floats, Picture


def sample_cubic(picture: Picture, points: Floats) -> Floats:
    """(S, S, 3) uint8 at (H, W, 2) crop coordinates → (H, W, 3); bicubic between points half a pixel apart, border padding,
    clipped to the levels 0…255."""
    image = upsampled(picture).astype(np.float32)
    size = image.shape[0]
    pixel = (points + 1) * (picture.shape[0] / 2) - 0.5
    place = np.clip(pixel * POINTS, -2, size)  # farther out all four taps are the border
    low = np.floor(place).astype(int)
    across, down = np.moveaxis(cubic_weights(place - low), 2, 0)
    columns, rows = (np.clip(low[..., axis, None] + np.arange(-1, 3), 0, size - 1) for axis in (0, 1))
    total = sum(
        down[..., j, None] * across[..., i, None] * image[rows[..., j], columns[..., i]] for j in range(4) for i in range(4)
    )
    result: Floats = np.clip(total, 0, 255).astype(np.float32)
    return result


def compose(
    state: Floats,
    prior: Floats,
    *,
    foreground: Picture,
    matte: Floats,
    plate: Picture,
    render: Picture,
    render_weight: Floats,
    mix: Floats,
) -> Picture:
    """The whole picture, (S, S, 3) uint8.

    state (6, R, R): colour c (of −1…1), residual flow f, suppression s · prior (S, S, 2) · foreground, plate, render (S, S, 3)
    uint8 · matte, render_weight (S, S) 0…1 · mix (3, 3), the weight of P in the last tRGB.
    """
    grid = pixel_grid(plate.shape[0])
    large = sample(state.transpose(1, 2, 0), grid)
    points = grid + prior + large[..., 3:5]
    a = sample(matte[..., None], points)
    picture = a * sample_cubic(foreground, points) + (1 - a) * plate
    k = render_weight[..., None]
    picture = (1 - k) * picture + k * render
    out = (1 - large[..., 5:]) * ((picture / 127.5 - 1) @ mix.T) + large[..., :3]
    levels: Picture = np.clip(np.rint((out + 1) * 127.5), 0, 255).astype(np.uint8)
    return levels
