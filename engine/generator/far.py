"""The FAR generator in torch: one module for every variant (paper, eq. 5–12)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.generator import compose_torch
from engine.generator.compose_torch import Layers
from engine.generator.flow import enlarge, pixel_grid, shrink, warp
from engine.generator.layers import EqualConv, Heads, MappingNetwork, StyleConv, activate, clamp_ste
from engine.generator.refiner import Refiner
from engine.generator.variants import COLOUR, FLOW, MASK, SOURCE_CHANNELS, STATE_CHANNELS, Variant
from engine.values import COEFFICIENTS


@dataclass(frozen=True)
class Output:
    """What one step of the generator gives.

    image    (N, 3, S, S)  Î, −1…1 when trained (not clamped), mouth and eyes refined where the variant has a refiner
    flow     (N, 2, S, S)  f̂, the whole flow in crop coordinates: prior and learned residual
    picture  (N, 3, S, S)  the prior picture P, or None without the picture prior
    mask     (N, 1, S, S)  s, 0…1: how far P is suppressed; 0 everywhere where the variant has no mask
    """

    image: Tensor
    flow: Tensor
    picture: Tensor | None
    mask: Tensor


class Encoder(nn.Module):
    """The spatial feature encoders F_enc^s and F_enc^3D (eq. 6 and 7): a picture → one feature map per resolution of the variant.

    A stem at the finest resolution, then one 3 × 3 convolution of stride 2 per halving: 7 of them from 512 to 4. A picture
    larger than the finest resolution is first folded into channels (pixel unshuffle), so that nothing of it is lost.
    """

    def __init__(self, channels: int, size: int, variant: Variant) -> None:
        super().__init__()
        self.fold = size // variant.top
        widths = [variant.feature_width(resolution) for resolution in reversed(variant.resolutions)]
        self.stem = EqualConv(channels * self.fold**2, widths[0], 3)
        self.down = nn.ModuleList(EqualConv(a, b, 3, stride=2) for a, b in pairwise(widths))

    def forward(self, picture: Tensor) -> list[Tensor]:
        """(N, channels, size, size) → features (N, feature_width(r), r, r), coarse to fine."""
        features = [activate(self.stem(functional.pixel_unshuffle(picture, self.fold)))]
        for convolution in self.down:
            features.append(activate(convolution(features[-1])))
        return features[::-1]


class FarBlock(nn.Module):
    """One Feature Alignment and Refinement block (section 3.3, eq. 9–12)."""

    grid: Tensor

    def __init__(self, variant: Variant, index: int, inputs: int) -> None:
        super().__init__()
        resolution, width = variant.blocks[index]
        first, last = index == 0, index == len(variant.blocks) - 1
        self.growth = 1 if first else resolution // variant.blocks[index - 1][0]
        widths = [inputs] + [width] * (1 if first else variant.convs)
        self.convs = nn.ModuleList(StyleConv(a, b, variant.latent) for a, b in pairwise(widths))
        self.outputs = width + 2 * variant.feature_width(resolution)
        self.sub_pixels, self.aligns = variant.sub_pixels if last else 1, variant.flow
        self.heads = Heads(
            self.outputs, sub_pixels=self.sub_pixels, mask=variant.has_mask, colour_from_zero=variant.picture_prior
        )
        self.register_buffer("grid", pixel_grid(resolution), persistent=False)

    def forward(
        self, features: Tensor, state: Tensor, w: Tensor, *, source: Tensor, guide: Tensor, prior: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """F_GAN^i, (I^i, f^i), w; F_s^i, F_3D^i, the flow prior at this scale → F_GAN^{i+1}, (I^{i+1}, f^{i+1})."""
        for number, conv in enumerate(self.convs):
            features = conv(features, w)  # eq. 9
            if number == 0:
                features = enlarge(features, self.growth)
        state = enlarge(state, self.growth)
        flow = state[:, FLOW] if prior is None else state[:, FLOW] + prior
        aligned = warp(source, self.grid + flow) if self.aligns else source
        features = torch.cat([features, aligned, guide], 1)  # eq. 10
        return features, self.heads(features) + enlarge(state, self.sub_pixels)  # eq. 11 and 12


class FarGenerator(nn.Module):
    """F_s once per photograph (``source``), then one state per z (``frame``); ``forward`` composes the whole picture.

    Untrained, with both priors, the picture is exactly P: every head starts at zero.
    """

    picture_mix: Tensor

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.variant = variant
        self.mapping = MappingNetwork(COEFFICIENTS, variant.latent)
        self.source_encoder = Encoder(SOURCE_CHANNELS, variant.size, variant)
        self.guide_encoder = Encoder(variant.guide_channels, variant.guide_size, variant)
        resolution, width = variant.blocks[0]
        self.constant = nn.Parameter(torch.randn(1, width, resolution, resolution))
        self.blocks = nn.ModuleList()
        for index in range(len(variant.blocks)):
            self.blocks.append(FarBlock(variant, index, width))
            width = self.blocks[-1].outputs  # type: ignore[assignment]
        self._make_picture_mix()
        self.refiner = Refiner(variant) if variant.has_refiner else None

    def _make_picture_mix(self) -> None:
        """tRGB's columns for P: learned and at first the identity, or the fixed identity beside a mask, or nothing."""
        learned = self.variant.picture_prior and not self.variant.mask
        mix = torch.eye(3) if self.variant.picture_prior else torch.zeros(3, 3)
        if learned:
            self.picture_mix = nn.Parameter(mix)
        else:
            self.register_buffer("picture_mix", mix, persistent=False)

    def source(self, photo: Tensor) -> list[Tensor]:
        """I_s (N, 3, S, S), −1…1 → F_s, one per resolution, coarse to fine (eq. 6)."""
        features: list[Tensor] = self.source_encoder(photo)
        return features

    def frame(self, z: Tensor, guide: Tensor, prior: Tensor | None, source: list[Tensor]) -> Tensor:
        """One driven frame, up to the compositor.

        z (N, 261), guide (N, 5, G, G), flow prior (N, 2, ≥ top, ≥ top) or None, F_s → (N, 6, R, R): colour c, residual flow f,
        suppression s (0…1; 0 where the variant has none). R is ``variant.output_size``.
        """
        w = self.mapping(z)
        guides = self.guide_encoder(guide[:, : self.variant.guide_channels])
        by_resolution = dict(zip(self.variant.resolutions, zip(source, guides, strict=True), strict=True))
        features = self.constant.expand(z.shape[0], -1, -1, -1)
        channels = STATE_CHANNELS if self.variant.has_mask else STATE_CHANNELS - 1
        state = torch.zeros(z.shape[0], channels, *features.shape[2:], device=z.device)
        for block, (resolution, _) in zip(self.blocks, self.variant.blocks, strict=True):
            here = shrink(prior, resolution) if self.variant.flow_prior and prior is not None else None
            f_source, f_guide = by_resolution[resolution]
            features, state = block(features, state, w, source=f_source, guide=f_guide, prior=here)
        return finish(state if self.variant.flow else _unmoved(state))

    def forward(self, photo: Tensor, layers: Layers, drive: compose_torch.RenderInputsTorch) -> Output:
        """I_s (N, 3, S, S), its layers, and what drives it → the picture (eq. 8)."""
        prior = drive.prior if self.variant.flow_prior else None
        state = self.frame(drive.z, drive.guide(self.variant.guide_size), prior, self.source(photo))
        state = enlarge(state, self.variant.size // self.variant.output_size)
        colour, residual, mask = torch.split(state, [part.stop - part.start for part in (COLOUR, FLOW, MASK)], 1)
        flow = residual if prior is None else residual + prior
        if not self.variant.picture_prior:
            return Output(colour, flow, None, mask)
        picture = compose_torch.prior_picture(layers, flow, drive.render, drive.render_weight)
        image = compose_torch.blend(picture, colour, mask, self.picture_mix)
        if self.refiner is not None:
            image = self.refiner(image, drive.render, drive.render_weight, drive.components)
        return Output(image, flow, picture, mask)


def _unmoved(state: Tensor) -> Tensor:
    return torch.cat([state[:, COLOUR], torch.zeros_like(state[:, FLOW]), state[:, MASK]], 1)


def finish(state: Tensor) -> Tensor:
    """(N, 5 or 6, R, R) sums of the heads → (N, 6, R, R) with s = clamp(h, 0, 1), or 0 where there is none."""
    mask = clamp_ste(state[:, MASK]) if state.shape[1] == STATE_CHANNELS else torch.zeros_like(state[:, :1])
    return torch.cat([state[:, : MASK.start], mask], 1)
