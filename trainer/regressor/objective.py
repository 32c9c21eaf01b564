"""The whole objective: supervised terms, and those of D3DFR that need no labels when they have a weight."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor, nn

from engine.errors import ConfigError
from engine.head import HeadModel
from trainer.identity import open_identity
from trainer.regressor.batches import RegressorBatch
from trainer.regressor.losses import SupervisedLoss
from trainer.regressor.photometric import SELF_SUPERVISED, Embed, SelfSupervisedLoss

if TYPE_CHECKING:
    from trainer.regressor.config import RegressorConfig


class RegressorObjective(nn.Module):
    """Named terms of a batch. What has no weight and is dear is not computed."""

    def __init__(self, head: HeadModel, weights: Mapping[str, float], embed: Embed | None = None) -> None:
        """Raises ConfigError for a weight on the perceptual term without ``embed``, an identity network."""
        super().__init__()
        if weights.get("perceptual", 0) and embed is None:
            raise ConfigError(
                "The perceptual term needs an identity network: give its file (--identity), or set the term's weight to 0."
            )
        self.supervised = SupervisedLoss(head)
        wanted = any(weights.get(name, 0) for name in SELF_SUPERVISED)
        self.self_supervised = SelfSupervisedLoss(head, embed=embed) if wanted else None

    def forward(self, z: Tensor, batch: RegressorBatch) -> dict[str, Tensor]:
        """(N, 261) predictions → name → (N,)."""
        terms: dict[str, Tensor] = self.supervised(z, batch.targets)
        if self.self_supervised is not None:
            terms |= self.self_supervised(z, batch.pictures, batch.targets.landmarks)
        return terms


def objective_of(config: RegressorConfig, head: HeadModel) -> RegressorObjective:
    """The objective that a configuration asks for, with the identity network that it names. Raises ConfigError, InputError."""
    return RegressorObjective(head, config.weights, open_identity(Path(config.identity)) if config.identity else None)
