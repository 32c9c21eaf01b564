"""The refiner (torch): mouth and eyes once more, at the picture's own resolution.

Not in the paper, whose last FAR block works at full resolution everywhere. ``live`` cannot afford that: its network ends at a
quarter of it, from features at an eighth, which is too coarse for teeth and lids. Where people look it has this small U-Net,
which sees the composed picture and what the renderer knows, and corrects it by the formula of the whole picture,
out = (1 − s)·P + c.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.components import Side, corners
from engine.generator.flow import enlarge
from engine.generator.layers import EqualConv, activate, clamp_ste
from engine.generator.variants import REFINED_CHANNELS, REFINER_CHANNELS, Variant

FOLD = 2  # pixels of a side that are folded into channels
FADE_PX = 8  # from a window's edge inward its corrections grow from nothing


class ComponentNet(nn.Module):
    """Three scales down and up again, untrained its answer is zero."""

    fade: Tensor

    def __init__(self, widths: tuple[int, ...], side: Side) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.stem = EqualConv(REFINER_CHANNELS * FOLD**2, fine, 3)
        self.down_middle, self.at_middle = EqualConv(fine, middle, 3, stride=2), EqualConv(middle, middle, 3)
        self.down_coarse = EqualConv(middle, coarse, 3, stride=2)
        self.at_coarse = nn.ModuleList(EqualConv(coarse, coarse, 3) for _ in range(2))
        self.up_middle, self.up_fine = EqualConv(coarse + middle, middle, 3), EqualConv(middle + fine, fine, 3)
        self.at_fine, self.head = EqualConv(fine, fine, 3), EqualConv(fine, REFINED_CHANNELS * FOLD**2, 1)
        nn.init.zeros_(self.head.weight)
        self.register_buffer("fade", fade(side), persistent=False)

    def forward(self, window: Tensor) -> Tensor:
        """(N, 7, H, W) P, I_3D −1…1 and 2k − 1 → (N, 4, H, W) c and s, s in 0…1, both zero at the window's edge."""
        fine = activate(self.stem(functional.pixel_unshuffle(window, FOLD)))
        middle = activate(self.at_middle(activate(self.down_middle(fine))))
        coarse = activate(self.down_coarse(middle))
        for conv in self.at_coarse:
            coarse = activate(conv(coarse))
        middle = activate(self.up_middle(torch.cat([enlarge(coarse, 2), middle], 1)))
        fine = activate(self.up_fine(torch.cat([enlarge(middle, 2), fine], 1)))
        state = functional.pixel_shuffle(self.head(activate(self.at_fine(fine))), FOLD)
        return torch.cat([state[:, :3], clamp_ste(state[:, 3:])], 1) * self.fade


class Refiner(nn.Module):
    """One network for the mouth and one for both eyes, the left of which it sees mirrored."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self._size, self._sides = variant.size, variant.windows
        self.mouth, self.eye = (ComponentNet(variant.refiner, side) for side in variant.windows[:2])

    def forward(self, picture: Tensor, render: Tensor, render_weight: Tensor, components: Tensor) -> Tensor:
        """The composed picture and I_3D (N, 3, S, S), k (N, 1, S, S), the components' middles (N, 3, 2) in crop coordinates → the
        picture with corrected windows."""
        seen = torch.cat([picture.clamp(-1.0, 1.0), render, 2 * render_weight - 1], 1)
        places = [corners(own, self._sides, self._size).tolist() for own in components.detach().cpu().numpy()]
        mouth, right, left = (
            torch.stack([_window(one, place[part], side) for one, place in zip(seen, places, strict=True)])
            for part, side in enumerate(self._sides)
        )
        right_state, left_state = self.eye(torch.cat([right, left.flip(3)])).chunk(2)
        states = self.mouth(mouth), right_state, left_state.flip(3)
        out = picture.clone()
        for part, (side, window, state) in enumerate(zip(self._sides, (mouth, right, left), states, strict=True)):
            change = state[:, :3] - state[:, 3:] * window[:, :3]
            for number, place in enumerate(places):
                _window(out[number], place[part], side).add_(change[number])
        return out


def fade(side: Side) -> Tensor:
    """(H, W) 1 inside a window, falling to 0 along its edge."""
    across, along = (torch.arange(length) + 0.5 for length in side)
    width, height = side
    rows, columns = torch.minimum(along, height - along), torch.minimum(across, width - across)
    return (rows / FADE_PX).clamp(max=1)[:, None] * (columns / FADE_PX).clamp(max=1)


def _window(planes: Tensor, place: list[int], side: Side) -> Tensor:
    """(C, S, S) → (C, H, W), a view."""
    (x, y), (width, height) = place, side
    return planes[:, y : y + height, x : x + width]
