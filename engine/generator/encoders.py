"""The spatial feature encoders F_enc^s and F_enc^3D (paper, eq. 6 and 7)."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from engine.generator.layers import EqualConv, activate
from engine.generator.variants import Variant


class Encoder(nn.Module):
    """A picture → one feature map per resolution of the variant.

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
