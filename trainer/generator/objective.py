"""The paper's objective (section 3.4): eq. 13 for pairs with a target, eq. 14 for somebody else's motion, each term by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.errors import ConfigError
from engine.generator.far import Output
from engine.generator.flow import pixel_grid, warp
from engine.head import HeadModel
from trainer.generator.batches import GeneratorBatch
from trainer.generator.losses import mesh_distance, non_saturating, reconstruction, restraint
from trainer.generator.perceptual import Perceptual
from trainer.identity import IdentityNetwork, identity_loss, points_of
from trainer.regressor.geometry import HeadGeometry
from trainer.regressor.network import RegressorNet

if TYPE_CHECKING:
    from trainer.generator.config import GeneratorConfig


@dataclass(frozen=True)
class LossNetworks:
    """The frozen networks that look at pictures; None for those whose term has no weight."""

    perceptual: Perceptual | None = None
    regressor: RegressorNet | None = None
    identity: IdentityNetwork | None = None


class GeneratorObjective(nn.Module):
    """Named terms of a batch; what has no weight is not computed."""

    def __init__(self, config: GeneratorConfig, head: HeadModel, networks: LossNetworks) -> None:
        """Raises ConfigError when a term has a weight and no network."""
        super().__init__()
        wanted = (("perceptual", networks.perceptual), ("mesh", networks.regressor), ("identity", networks.identity))
        for term, network in wanted:
            if config.weight(term) and network is None:
                raise ConfigError(f"The {term} term has a weight and no network: give --{_OPTION[term]}, or set its weight to 0.")
        self._config = config
        self.perceptual, self.regressor, self.identity = networks.perceptual, networks.regressor, networks.identity
        self.geometry = HeadGeometry(head)

    def forward(self, drawn: Output, window: Tensor, batch: GeneratorBatch, logits: Tensor | None) -> dict[str, Tensor]:
        """What was drawn, Î's window (N, 3, W, W) and the discriminator's (N,) logits of that → term → (N,), or (T,) where a
        target is needed."""
        config, terms, image = self._config, {}, drawn.image
        known = len(batch.target)
        weight = 1 + (config.regions - 1) * batch.regions
        if known and config.weight("reconstruction"):
            terms["reconstruction"] = reconstruction(image[:known], batch.target, weight[:known])
        if known and config.weight("perceptual") and self.perceptual is not None:
            wanted, regions = (cut_windows(x, batch.windows[:known], config.window) for x in (batch.target, weight[:known]))
            terms["perceptual"] = self.perceptual(window[:known], wanted, regions)
        if config.weight("restraint"):
            terms["restraint"] = restraint(drawn.mask)
        if logits is not None:
            terms["adversarial"] = non_saturating(logits)
        if config.weight("mesh") and self.regressor is not None:
            found = self.regressor(cut_tight(image, batch.tight, self.regressor.size))
            terms["mesh"] = mesh_distance(self.geometry, found, seen_tight(batch.drive.z, batch.tight_pose))
        if config.weight("identity") and self.identity is not None:
            with torch.no_grad():
                own = self.identity(batch.photo, points_of(batch.source_points))
            terms["identity"] = identity_loss(self.identity(image, points_of(batch.points)), own)
        return terms


def weighted_sum(terms: Mapping[str, Tensor], config: GeneratorConfig, count: int) -> Tensor:
    """The mean over the ``count`` pairs of a batch of eq. 13 or eq. 14, whichever is a pair's."""
    return torch.stack([config.weight(name) * term.sum() / count for name, term in terms.items()]).sum()


def cut_windows(pictures: Tensor, corners: Tensor, side: int) -> Tensor:
    """(N, C, S, S) and (N, 2) left and upper edges [px] → (N, C, side, side)."""
    size, windows = pictures.shape[-1], zip(pictures, corners.tolist(), strict=True)
    # padding by less than nothing is one operation where two slices are two, each with a gradient of the whole picture's size
    return torch.stack([functional.pad(picture, (-x, x + side - size, -y, y + side - size)) for picture, (x, y) in windows])


def cut_tight(pictures: Tensor, squares: Tensor, side: int) -> Tensor:
    """(N, 3, S, S) and (N, 3) centres and half sides in crop coordinates → (N, 3, side, side), smoothed where it shrinks."""
    grid = pixel_grid(2 * side).to(pictures.device) * squares[:, 2, None, None, None] + squares[:, :2, None, None]
    return functional.avg_pool2d(warp(pictures, grid), 2)


def seen_tight(z: Tensor, tight_pose: Tensor) -> Tensor:
    """z_des with the pose that the camera of the tight crop sees."""
    return torch.cat([z[:, :251], tight_pose, z[:, 257:]], 1)


_OPTION = {"perceptual": "features", "mesh": "regressor", "identity": "identity"}
