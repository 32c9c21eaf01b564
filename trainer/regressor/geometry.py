"""The head model in torch: differentiable landmarks and vertices of a batch of z, in the camera of ``engine.conventions``."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.conventions import CAMERA_DISTANCE_DM, FOCAL
from engine.head import HeadModel
from engine.landmark_indices import LEFT_IRIS, RIGHT_IRIS
from engine.regress.landmarks import LandmarkBasis
from trainer.regressor.examples import GROUPS


def split(z: Tensor) -> dict[str, Tensor]:
    """(…, 261) → group name → its columns."""
    return dict(zip(GROUPS, torch.split(z, list(GROUPS.values()), -1), strict=True))


def rotation(angles_rad: Tensor) -> Tensor:
    """(N, 3) pitch, yaw, roll → (N, 3, 3), ``engine.conventions.rotation``."""
    (cx, cy, cz), (sx, sy, sz) = torch.cos(angles_rad).unbind(-1), torch.sin(angles_rad).unbind(-1)
    rows = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def place(points: Tensor, pose: Tensor) -> Tensor:
    """(N, V, 3) head coordinates, (N, 6) p → camera space [dm]."""
    return points @ rotation(pose[:, :3]).transpose(1, 2) + pose[:, None, 3:]


def project(placed: Tensor) -> Tensor:
    """(N, V, 3) camera space → (N, V, 2) crop coordinates."""
    # a wild guess may lie behind the camera: it must give a large loss, not a singular one
    depth = torch.clamp(CAMERA_DISTANCE_DM - placed[..., 2:], min=1.0)
    return FOCAL * placed[..., :2] * placed.new_tensor([1.0, -1.0]) / depth


class HeadGeometry(nn.Module):
    """The 478 landmark points and a sample of the vertices, linear in α and β; irises turn with τ."""

    mean: Tensor
    identity: Tensor
    expression: Tensor
    eyes: Tensor
    eye_identity: Tensor

    def __init__(self, head: HeadModel, every: int = 8) -> None:
        """``every``: one of so many skin vertices is sampled for ``vertices``."""
        super().__init__()
        basis = LandmarkBasis.of(head)
        eyeballs = {int(v) for eye in head.eyeballs for v in eye}
        sample = [v for v in range(0, len(head.mean_shape), every) if v not in eyeballs]
        points = len(basis.mean)
        self.points, self.radius = points, basis.iris_radius_dm
        mean = torch.from_numpy(basis.mean), torch.from_numpy(head.mean_shape[sample])
        by_identity = torch.from_numpy(basis.identity), torch.from_numpy(head.identity_basis[:, sample])
        by_expression = torch.from_numpy(basis.expression), torch.from_numpy(head.expression_basis[:, sample])
        self.register_buffer("mean", torch.cat(mean), persistent=False)
        self.register_buffer("identity", torch.cat(by_identity, 1), persistent=False)
        self.register_buffer("expression", torch.cat(by_expression, 1), persistent=False)
        self.register_buffer("eyes", torch.from_numpy(basis.eye_centres), persistent=False)
        self.register_buffer("eye_identity", torch.from_numpy(basis.eye_identity), persistent=False)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 261) → (N, 478, 2) landmarks in crop coordinates and (N, K, 3) sampled vertices in camera space [dm]."""
        part = split(z)
        shape = self.mean + torch.einsum("na,avi->nvi", part["identity"], self.identity)
        shape = shape + torch.einsum("ne,evi->nvi", part["expression"], self.expression)
        points, vertices = shape[:, : self.points], shape[:, self.points :]
        eyes = self.eyes + torch.einsum("na,aei->nei", part["identity"], self.eye_identity)
        points = self._turn_irises(points, eyes, part["gaze"])
        return project(place(points, part["pose"])), place(vertices, part["pose"])

    def _turn_irises(self, points: Tensor, eyes: Tensor, gaze: Tensor) -> Tensor:
        """Shifts the five points of each iris to where τ takes its centre."""
        sideways = gaze.reshape(-1, 2, 2).clamp(-0.9, 0.9)
        forward = torch.sqrt(torch.clamp(1 - (sideways**2).sum(-1, keepdim=True), min=0.05))
        centres = eyes + self.radius * torch.cat([sideways, forward], -1)
        irises = [
            points[:, part] + (centres[:, k] - points[:, part].mean(1))[:, None] for part, k in ((RIGHT_IRIS, 1), (LEFT_IRIS, 0))
        ]
        return torch.cat([points[:, : RIGHT_IRIS.start], *irises], 1)
