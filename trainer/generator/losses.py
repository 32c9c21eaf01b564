"""The terms of eq. 13 and 14 (section 3.4): pure functions of a batch, each (N,), to be made small.

The perceptual term is ``trainer.generator.perceptual``, the identity term ``trainer.identity.identity_loss``.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from trainer.regressor.geometry import HeadGeometry, split

_TINY = 1e-8


def reconstruction(output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """L_1: (N, 3, H, W) −1…1 twice, ``weight`` (N, 1, H, W) → (N,) the weighted mean absolute difference."""
    difference = (output - target).abs().mean(1, keepdim=True)
    return (difference * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3))


def restraint(mask: Tensor) -> Tensor:
    """(N, 1, H, W) s, how far the photograph is suppressed → (N,) its mean.

    Not in the paper, whose generator has no mask. A little of something smooth, laid over everything, lowers L_1 and takes the
    photograph's sharpness away; whoever replaces it shall win much by it.
    """
    return mask.mean((1, 2, 3))


def non_saturating(fake: Tensor) -> Tensor:
    """L_adv of the generator: (N,) logits of its pictures → −log D (StyleGAN2, Karras et al. 2020)."""
    return functional.softplus(-fake)


def discrimination(logits: Tensor, *, real: bool) -> Tensor:
    """What the discriminator makes small: (N,) logits → −log D of real pictures, −log(1 − D) of others."""
    return functional.softplus(-logits if real else logits)


def gradient_penalty(logits: Tensor, pictures: Tensor) -> Tensor:
    """R1 (Mescheder et al. 2018): (N,) logits of real ``pictures``, which require gradients → (N,) ½ |∂D/∂picture|²."""
    (gradient,) = torch.autograd.grad(logits.sum(), pictures, create_graph=True)
    return 0.5 * (gradient**2).sum((1, 2, 3))


def mesh_distance(geometry: HeadGeometry, found: Tensor, wanted: Tensor) -> Tensor:
    """L_mesh: z (N, 261) regressed from a picture and z_des, both seen by one camera → (N,) mean distance of vertices [dm].

    The meshes of eq. 2 with the wanted α, so that the term speaks of expression and pose and leaves who it is to L_ID; irises
    are among the points, for the gaze.
    """
    parts, own = split(found), split(wanted)
    same = torch.cat([own["identity"], parts["expression"], own["texture"], own["illumination"], parts["pose"], parts["gaze"]], 1)
    points, vertices = geometry(same)
    wanted_points, wanted_vertices = geometry(wanted)
    on_screen = _length(points - wanted_points).mean(1)
    return _length(vertices - wanted_vertices).mean(1) + on_screen


def _length(difference: Tensor) -> Tensor:
    return torch.sqrt((difference**2).sum(-1) + _TINY)
