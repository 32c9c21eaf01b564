"""The whole objective: supervised terms, and those of D3DFR that need no labels when they have a weight."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from engine.head import HeadModel
from trainer.regressor.batches import Batch
from trainer.regressor.config import SELF_SUPERVISED
from trainer.regressor.losses import SupervisedLoss
from trainer.regressor.photometric import Embed, SelfSupervisedLoss


class Objective(nn.Module):
    """Named terms of a batch. What has no weight and is dear is not computed."""

    def __init__(self, head: HeadModel, weights: Mapping[str, float], embed: Embed | None = None) -> None:
        super().__init__()
        self.supervised = SupervisedLoss(head)
        wanted = any(weights.get(name, 0) for name in SELF_SUPERVISED)
        self.self_supervised = SelfSupervisedLoss(head, embed=embed) if wanted else None

    def forward(self, z: Tensor, batch: Batch) -> dict[str, Tensor]:
        """(N, 261) predictions → name → (N,)."""
        terms: dict[str, Tensor] = self.supervised(z, batch.targets)
        if self.self_supervised is not None:
            terms |= self.self_supervised(z, batch.pictures)
        return terms
