"""The layers of the generator (torch): equalised linear and convolution, modulated convolution, StyleConv, mapping, heads.

Everything that learns is equalised as in StyleGAN2: weights are stored with unit variance and scaled by 1/√fan-in when used,
so that one learning rate (the paper's 0.001) suits all of them. An exported graph folds the scale into the weights.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2  # of leaky ReLU
GAIN = math.sqrt(2.0)  # keeps the variance across a leaky ReLU, as in StyleGAN2
MAPPING_RATE = 0.01  # the mapping network learns this much slower than the rest, as in StyleGAN2
FLOW_SCALE = 0.1  # half pictures per unit of tXY: useful corrections are a few hundredths of a picture


def activate(x: Tensor) -> Tensor:
    """Leaky ReLU that keeps the variance."""
    return functional.leaky_relu(x, SLOPE) * GAIN


def modulated_conv(x: Tensor, weight: Tensor, style: Tensor) -> Tensor:
    """StyleGAN2's modulated and demodulated convolution with stride 1, in its input-scaling form.

    y = d · conv(x · s),  d = 1/√(Σ_in s² Σ_k W² + ε), equal to convolving sample n with W·s_n/‖W·s_n‖; but the weight stays
    constant, so that a runtime can pack and fuse it, at any batch size. x (N, I, H, W), weight (O, I, k, k), style (N, I).
    """
    demodulation = torch.rsqrt(style.square() @ weight.square().sum((2, 3)).t() + 1e-8)
    y = functional.conv2d(x * style[:, :, None, None], weight, padding=weight.shape[-1] // 2)
    return y * demodulation[:, :, None, None]


def clamp_ste(mask: Tensor) -> Tensor:
    """clamp(mask, 0, 1) with a straight-through gradient.

    A plain clamp has none outside, so that a mask that once was pushed below 0 everywhere would stay shut for ever. Outside, what
    would lead further away is left out, and what leads inside is let through.
    """
    return _ClampSte.apply(mask) if mask.requires_grad else mask.clamp(0.0, 1.0)  # type: ignore[no-untyped-call]


class EqualLinear(nn.Module):
    """y = x·Wᵀ + b; ``rate`` < 1 slows learning down without changing the start."""

    def __init__(self, inputs: int, outputs: int, *, bias: float = 0.0, rate: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.gain, self.rate = rate / math.sqrt(inputs), rate

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs) → (N, outputs)."""
        return functional.linear(x, self.weight * self.gain, self.bias * self.rate)


class EqualConv(nn.Module):
    """k × k convolution with bias, zero padding k//2."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.gain, self.stride, self.padding = 1 / math.sqrt(inputs * kernel * kernel), stride, kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, outputs, H/stride, W/stride)."""
        return functional.conv2d(x, self.weight * self.gain, self.bias, self.stride, self.padding)


class StyleConv(nn.Module):
    """StyleConv of eq. 9: a modulated 3 × 3 convolution, bias, leaky ReLU. F_s and F_3D stand for the noise (section 3.2)."""

    def __init__(self, inputs: int, outputs: int, latent: int) -> None:
        super().__init__()
        self.affine = EqualLinear(latent, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.gain = 1 / math.sqrt(inputs * 9)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """(N, inputs, H, W), (N, latent) → (N, outputs, H, W)."""
        y = modulated_conv(x, self.weight * self.gain, self.affine(w))
        return activate(y + self.bias[:, None, None])


class MappingNetwork(nn.Module):
    """w = F_mlp(z), eq. 5: three layers."""

    def __init__(self, inputs: int, latent: int) -> None:
        super().__init__()
        widths = (inputs, latent, latent, latent)
        self.layers = nn.ModuleList(EqualLinear(a, b, rate=MAPPING_RATE) for a, b in pairwise(widths))

    def forward(self, z: Tensor) -> Tensor:
        """(N, inputs) → (N, latent)."""
        for layer in self.layers:
            z = activate(layer(z))
        return z


class Heads(nn.Module):
    """tRGB and tXY, and the mask's head: 1 × 1 convolutions of the same features, run as one.

    tXY and the mask start at zero, and so does tRGB where the picture prior is what it corrects (``colour_from_zero``).
    """

    def __init__(self, inputs: int, *, sub_pixels: int, mask: bool, colour_from_zero: bool) -> None:
        super().__init__()
        points = sub_pixels * sub_pixels
        self.to_rgb, self.to_xy = EqualConv(inputs, 3 * points, 1), EqualConv(inputs, 2 * points, 1)
        self.to_mask = EqualConv(inputs, points, 1) if mask else None
        self.sub_pixels = sub_pixels
        for head in (self.to_rgb, self.to_xy, self.to_mask):
            if head is not None and (head is not self.to_rgb or colour_from_zero):
                nn.init.zeros_(head.weight)

    def forward(self, features: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, 5 or 6, H·sub_pixels, W·sub_pixels): colour, flow, mask."""
        scaled = [(self.to_rgb, 1.0), (self.to_xy, FLOW_SCALE)] + ([] if self.to_mask is None else [(self.to_mask, 1.0)])
        weight = torch.cat([head.weight * (head.gain * scale) for head, scale in scaled])
        bias = torch.cat([head.bias * scale for head, scale in scaled])
        return functional.pixel_shuffle(functional.conv2d(features, weight, bias), self.sub_pixels)

    @torch.no_grad()
    def draw_together(self, share: float) -> None:
        """The sub-pixels of a feature differ by only ``share`` of what they did; their mean stays."""
        for head in (self.to_rgb, self.to_xy, self.to_mask):
            for parameter in () if head is None else (head.weight, head.bias):
                points = parameter.view(-1, self.sub_pixels**2, parameter[0].numel())
                mean = points.mean(1, keepdim=True)
                points.copy_(mean + share * (points - mean))


class _ClampSte(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, mask: Tensor) -> Tensor:
        context.save_for_backward(mask)
        return mask.clamp(0.0, 1.0)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        (mask,), (gradient,) = context.saved_tensors, gradients
        away = ((mask < 0) & (gradient > 0)) | ((mask > 1) & (gradient < 0))
        return gradient.masked_fill(away, 0.0)
