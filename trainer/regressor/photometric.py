"""The self-supervised terms of D3DFR (Deng et al. 2019): photometric, perceptual identity, and regularisation.

The rasteriser says which triangle each pixel shows, and where in it; that is held constant. The surface point's colour follows
from δ, γ and the normals, its place in the picture from α, β and p, and the picture is read at that place: so the photometric
term has a gradient in every coefficient but τ, and no differentiable rasteriser is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.conventions import place as place_numpy
from engine.conventions import project as project_numpy
from engine.head import HeadModel, Part
from engine.render import Renderer, create_renderer
from engine.values import Coefficients
from trainer.identity import identity_loss, points_of
from trainer.regressor.geometry import place, project, split
from trainer.regressor.losses import distance

SELF_SUPERVISED = (
    "photometric", "perceptual", "unlikely_identity", "unlikely_texture", "beyond_expression", "coloured_light",
)  # fmt: skip

Embed = Callable[[Tensor, Tensor], Tensor]
"""(N, 3, S, S) pictures −1…1, (N, 5, 2) points of ``trainer.identity`` → (N, D) features of who is seen, differentiable."""


@dataclass(frozen=True)
class SkinSamples:
    """The visible skin of one head: shown (S, S) bool, K pixels; colours (K, 3) 0…1; places (K, 2) crop coordinates."""

    shown: Tensor
    colours: Tensor
    places: Tensor


class SkinRenderer(nn.Module):
    """z → the skin that it shows; sizes as the renderer's."""

    mean_shape: Tensor
    identity: Tensor
    expression: Tensor
    mean_albedo: Tensor
    albedo: Tensor
    triangles: Tensor

    def __init__(self, head: HeadModel, size: int = 64, renderer: Renderer | None = None) -> None:
        super().__init__()
        self._head, self._renderer = head, renderer or create_renderer("cpu", size)
        for name, values in (
            ("mean_shape", head.mean_shape), ("identity", head.identity_basis), ("expression", head.expression_basis),
            ("mean_albedo", head.mean_albedo), ("albedo", head.albedo_basis), ("triangles", head.triangles.astype(np.int64)),
        ):  # fmt: skip
            self.register_buffer(name, torch.from_numpy(values), persistent=False)
        # what follows the body is cloth or neck; eyes and mouth have colours of their own
        self._skin = torch.from_numpy((head.part == Part.SKIN) & (head.follow[head.triangles].min(1) > 0.5))

    def forward(self, z: Tensor) -> SkinSamples:
        """(261,) → Skin."""
        shown, corners, weights = self._visible(z)
        part = split(z)
        shape = self.mean_shape + torch.tensordot(part["identity"], self.identity, 1)
        shape = shape + torch.tensordot(part["expression"], self.expression, 1)
        placed = place(shape[None], part["pose"][None])[0]
        normal = functional.normalize(_blend(self._normals(placed), corners, weights), dim=-1)
        albedo = self.mean_albedo + torch.tensordot(part["texture"], self.albedo, 1)
        colours = _blend(albedo, corners, weights) * (harmonics(normal) @ part["illumination"].reshape(9, 3))
        return SkinSamples(shown, colours, project(_blend(placed, corners, weights)[None])[0])

    def _visible(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Pixels (S, S), and of the K skin pixels the corners (K, 3) and weights (K, 3); without gradient."""
        one = Coefficients.from_vector(z.detach().cpu().numpy())
        screen = project_numpy(place_numpy(self._head.shape(one.identity, one.expression, one.gaze), one.pose))
        raster = self._renderer.rasterise(screen, self._head.triangles)
        triangle = torch.from_numpy(raster.triangle.astype(np.int64))
        shown = (triangle >= 0) & self._skin[triangle.clamp(min=0)]
        first_two = torch.from_numpy(raster.weights.copy())[shown]
        weights = torch.cat([first_two, 1 - first_two.sum(1, keepdim=True)], 1)
        return shown.to(z.device), self.triangles[triangle[shown].to(z.device)], weights.to(z.device)

    def _normals(self, placed: Tensor) -> Tensor:
        """(V, 3), weighted by the triangles' areas, as ``engine.render.lighting``."""
        a, b, c = placed[self.triangles].unbind(1)
        facet = torch.cross(b - a, c - a, dim=-1)
        out = torch.zeros_like(placed)
        for k in range(3):
            out = out.index_add(0, self.triangles[:, k], facet)
        return functional.normalize(out, dim=-1)


class SelfSupervisedLoss(nn.Module):
    """Terms that need no labels, only pictures."""

    def __init__(self, head: HeadModel, size: int = 64, embed: Embed | None = None) -> None:
        """``size``: of the raster, whose pixels are the samples. ``embed``: without it there is no perceptual term."""
        super().__init__()
        self.render, self._size, self._embed = SkinRenderer(head, size), size, embed

    def forward(self, z: Tensor, pictures: Tensor, landmarks: Tensor) -> dict[str, Tensor]:
        """(N, 261), (N, 3, S, S) −1…1 and the landmarks seen in them, (N, 478, 2) crop coordinates → name → (N,)."""
        skins = [self.render(one) for one in z]
        terms = {"photometric": photometric(skins, pictures), **regularisation(z)}
        if self._embed is not None:
            small = functional.interpolate(pictures, (self._size, self._size), mode="area")
            points = points_of(landmarks)
            terms["perceptual"] = identity_loss(self._embed(painted(skins, small), points), self._embed(small, points))
        return terms


def photometric(skins: list[SkinSamples], pictures: Tensor) -> Tensor:
    """(N,) mean distance of the rendered colours from the picture's [0…1] over the visible skin; 0 where none is seen."""
    return torch.stack([_difference(skin, picture) for skin, picture in zip(skins, pictures, strict=True)])


def painted(skins: list[SkinSamples], pictures: Tensor) -> Tensor:
    """(N, 3, S, S) −1…1: the pictures, of the raster's size, with the rendered skin in the place of their own."""
    out = []
    for skin, picture in zip(skins, pictures, strict=True):
        canvas = picture.permute(1, 2, 0).clone()
        canvas[skin.shown] = skin.colours.clamp(0, 1) * 2 - 1
        out.append(canvas.permute(2, 0, 1))
    return torch.stack(out)


def regularisation(z: Tensor) -> dict[str, Tensor]:
    """(N, 261) → named (N,) terms: unlikely people, movements beyond 0…1, and light that is not grey."""
    part = split(z)
    light = part["illumination"].reshape(-1, 9, 3)
    named = part["expression"][:, :52]
    return {
        "unlikely_identity": (part["identity"] ** 2).mean(1),
        "unlikely_texture": (part["texture"] ** 2).mean(1),
        "beyond_expression": (torch.relu(-named) + torch.relu(named - 1)).sum(1) + (part["expression"][:, 52:] ** 2).mean(1),
        "coloured_light": ((light - light.mean(2, keepdim=True)) ** 2).mean((1, 2)),
    }


def harmonics(normals: Tensor) -> Tensor:
    """(K, 3) → (K, 9), ``engine.render.lighting.harmonics``."""
    x, y, z = normals.unbind(-1)
    first, second, zonal = 2 / 3 * 3**0.5, 1 / 4 * 15**0.5, 1 / 4 * 5**0.5 / 2
    columns = [
        torch.ones_like(x), first * y, first * z, first * x,
        second * x * y, second * y * z, zonal * (3 * z * z - 1), second * x * z, second / 2 * (x * x - y * y),
    ]  # fmt: skip
    return torch.stack(columns, -1)


def _difference(skin: SkinSamples, picture: Tensor) -> Tensor:
    if len(skin.colours) == 0:
        return skin.colours.sum()
    seen = functional.grid_sample(picture[None], skin.places[None, None], align_corners=False, padding_mode="border")
    return distance(skin.colours - (seen[0, :, 0].T + 1) / 2).mean()


def _blend(values: Tensor, corners: Tensor, weights: Tensor) -> Tensor:
    """(V, C) at vertices → (K, C) at points."""
    return (values[corners] * weights[..., None]).sum(1)
