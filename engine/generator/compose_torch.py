"""The compositor in torch, differentiable, for training.

Its twins are ``compose_reference`` (plain numpy) and ``compose_fast`` (numba).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.generator.flow import pixel_grid, shrink, warp, warp_cubic
from engine.generator.upsampling import POINTS


@dataclass(frozen=True)
class Layers:
    """The photograph, taken apart; foreground·matte + plate·(1 − matte) is the photograph.

    foreground  (N, 3, 2S, 2S)  −1…1, the person, continued beyond the matte's edge; ``upsampled``: at points half a pixel apart
    matte       (N, 1, S, S)    0…1, 1 = person; 1 everywhere makes the compositor a plain warp
    plate       (N, 3, S, S)    −1…1, the background that stays where it is
    """

    foreground: Tensor
    matte: Tensor
    plate: Tensor


@dataclass(frozen=True)
class RenderInputsTorch:
    """What one driven frame hands to the generator, at the picture's full size.

    z              (N, 261)
    prior          (N, 2, S, S)  flow prior, crop coordinates
    render         (N, 3, S, S)  I_3D, −1…1
    coverage       (N, 1, S, S)  1 where the head mesh covers the picture
    render_weight  (N, 1, S, S)  k, 0…1: where the photograph has nothing and I_3D takes its place
    components     (N, 3, 2)     the middles of mouth, right and left eye, crop coordinates
    """

    z: Tensor
    prior: Tensor
    render: Tensor
    coverage: Tensor
    render_weight: Tensor
    components: Tensor

    def guide(self, size: int) -> Tensor:
        """(N, 5, size, size), the network's view of I_3D, coverage and k."""
        return shrink(torch.cat([self.render, self.coverage, self.render_weight], 1), size)


def prior_picture(layers: Layers, flow: Tensor, render: Tensor, render_weight: Tensor) -> Tensor:
    """P (N, 3, S, S): the layers warped by the whole flow (N, 2, S, S), I_3D where the photograph has nothing."""
    grid = pixel_grid(flow.shape[-1], flow.device) + flow
    between = (POINTS - 1) / layers.foreground.shape[-1]  # the first of a pixel's points is its centre
    foreground = warp_cubic(layers.foreground, grid - between).clamp(-1.0, 1.0)
    matte = warp(layers.matte, grid)
    picture = matte * foreground + (1 - matte) * layers.plate
    return picture + render_weight * (render - picture)


def blend(picture: Tensor, colour: Tensor, mask: Tensor, mix: Tensor) -> Tensor:
    """out = (1 − s)·mix·P + c, all (N, ·, S, S), mix (3, 3)."""
    return (1 - mask) * torch.einsum("oi,nihw->nohw", mix, picture) + colour
