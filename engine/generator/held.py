"""A mask held to 0…1 that can learn its way back (torch)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def held(mask: Tensor) -> Tensor:
    """clamp(mask, 0, 1), with a gradient that leads back.

    A plain clamp has none outside, so that a mask that once was pushed below 0 everywhere would stay shut for ever. Outside, what
    would lead further away is left out, and what leads inside is let through.
    """
    return _Held.apply(mask) if mask.requires_grad else mask.clamp(0.0, 1.0)  # type: ignore[no-untyped-call]


class _Held(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, mask: Tensor) -> Tensor:
        context.save_for_backward(mask)
        return mask.clamp(0.0, 1.0)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        (mask,), (gradient,) = context.saved_tensors, gradients
        away = ((mask < 0) & (gradient > 0)) | ((mask > 1) & (gradient < 0))
        return gradient.masked_fill(away, 0.0)
