"""Self-supervised terms of D3DFR (Deng et al. 2019): photometric, through the renderer, and regularisation.

The rasteriser says which triangle each pixel shows, and where in it; that is held constant. The surface point's colour follows
from δ, γ and the normals, its place in the picture from α, β and p, and the picture is read at that place: so the term has a
gradient in every coefficient, and no differentiable rasteriser is needed.
"""

from __future__ import annotations

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
from trainer.regressor.geometry import place, project, split
from trainer.regressor.losses import distance


@dataclass(frozen=True)
class Surface:
    """What K sampled pixels show: corners (K, 3) vertex indices, weights (K, 3) barycentric."""

    corners: Tensor
    weights: Tensor


class PhotometricLoss(nn.Module):
    """How far the rendered skin is from the picture where the head is seen."""

    mean_shape: Tensor
    identity: Tensor
    expression: Tensor
    mean_albedo: Tensor
    albedo: Tensor
    triangles: Tensor

    def __init__(self, head: HeadModel, size: int = 64, renderer: Renderer | None = None) -> None:
        """``size``: of the raster, whose pixels are the samples."""
        super().__init__()
        self._head, self._renderer = head, renderer or create_renderer("cpu", size)
        for name, values in (
            ("mean_shape", head.mean_shape), ("identity", head.identity_basis), ("expression", head.expression_basis),
            ("mean_albedo", head.mean_albedo), ("albedo", head.albedo_basis), ("triangles", head.triangles.astype(np.int64)),
        ):  # fmt: skip
            self.register_buffer(name, torch.from_numpy(values), persistent=False)
        self._skin = torch.from_numpy((head.part == Part.SKIN) & (head.follow[head.triangles].min(1) > 0.5))

    def forward(self, z: Tensor, pictures: Tensor) -> Tensor:
        """(N, 261) and (N, 3, S, S) −1…1 → (N,) mean colour distance [0…1] over the visible skin; 0 where none is seen."""
        return torch.stack([self._one(z[n : n + 1], pictures[n : n + 1]) for n in range(len(z))])

    def _one(self, z: Tensor, picture: Tensor) -> Tensor:
        surface = self._visible(z[0])
        if len(surface.corners) == 0:
            return z.sum() * 0
        part = split(z)
        shape = self.mean_shape + torch.einsum("na,avi->nvi", part["identity"], self.identity)
        placed = place(shape + torch.einsum("ne,evi->nvi", part["expression"], self.expression), part["pose"])
        albedo = self.mean_albedo + torch.einsum("na,avi->nvi", part["texture"], self.albedo)
        corners = placed[0][surface.corners]
        points = (corners * surface.weights[..., None]).sum(1)
        normals = self._normals(placed[0])[surface.corners]
        normal = functional.normalize((normals * surface.weights[..., None]).sum(1), dim=-1)
        base = (albedo[0][surface.corners] * surface.weights[..., None]).sum(1)
        rendered = base * (harmonics(normal) @ part["illumination"].reshape(9, 3))
        where = project(points[None])[0]
        seen = functional.grid_sample(picture, where[None, None], align_corners=False, padding_mode="border")[0, :, 0].T
        return distance(rendered - (seen + 1) / 2).mean()

    def _visible(self, z: Tensor) -> Surface:
        """The skin that the raster shows, held constant."""
        one = Coefficients.from_vector(z.detach().cpu().numpy())
        screen = project_numpy(place_numpy(self._head.shape(one.identity, one.expression, one.gaze), one.pose))
        raster = self._renderer.rasterise(screen, self._head.triangles)
        triangle = torch.from_numpy(raster.triangle.astype(np.int64))
        shown = (triangle >= 0) & self._skin[triangle.clamp(min=0)]
        first_two = torch.from_numpy(raster.weights.copy())[shown]
        weights = torch.cat([first_two, 1 - first_two.sum(1, keepdim=True)], 1)
        return Surface(self.triangles[triangle[shown].to(self.triangles.device)], weights.to(z.device))

    def _normals(self, placed: Tensor) -> Tensor:
        """(V, 3), weighted by the triangles' areas, as ``engine.render.lighting``."""
        a, b, c = placed[self.triangles].unbind(1)
        facet = torch.cross(b - a, c - a, dim=-1)
        out = torch.zeros_like(placed)
        for k in range(3):
            out = out.index_add(0, self.triangles[:, k], facet)
        return functional.normalize(out, dim=-1)


def harmonics(normals: Tensor) -> Tensor:
    """(K, 3) → (K, 9), ``engine.render.lighting.harmonics``."""
    x, y, z = normals.unbind(-1)
    first, second, zonal = 2 / 3 * 3**0.5, 1 / 4 * 15**0.5, 1 / 4 * 5**0.5 / 2
    columns = [
        torch.ones_like(x), first * y, first * z, first * x,
        second * x * y, second * y * z, zonal * (3 * z * z - 1), second * x * z, second / 2 * (x * x - y * y),
    ]  # fmt: skip
    return torch.stack(columns, -1)


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
