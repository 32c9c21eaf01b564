"""``python -m trainer generator --plan``: what a training with these settings would take; no data and no weights are needed."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from torch import Tensor, nn

from trainer.generator.config import GeneratorConfig
from trainer.generator.data_plan import DataPlan, show_data
from trainer.generator.perceptual import Perceptual
from trainer.generator.plan import FrozenNetwork, plan, show
from trainer.generator.training import discriminator_of, variant_of
from trainer.identity import open_identity
from trainer.regressor.network import RegressorNet


class PerceptualFeatures(nn.Module):
    """The perceptual network of one picture, as the cost is counted."""

    def __init__(self) -> None:
        super().__init__()
        self.perceptual = Perceptual(None)

    def forward(self, picture: Tensor) -> list[Tensor]:
        """(N, 3, S, S) → the features that are compared."""
        return self.perceptual.features(picture)


def show_plan(
    settings: GeneratorConfig,
    gpus: int,
    gpu: str,
    identity: Path | None,
    console: Console,
    *,
    price: float | None = None,
    data: DataPlan | None = None,
) -> None:
    """Prints the plan of these settings on so many GPUs, of which one costs ``price`` an hour, and of the data where they are to
    be prepared. Raises ConfigError for a GPU or batch that does not suit."""
    variant = variant_of(settings.variant, flow=settings.flow)
    discriminator = discriminator_of(settings) if settings.weight("adversarial") else None
    frozen = frozen_networks(settings, identity)
    found = plan(
        variant, settings.batch, gpus, gpu, settings.images,
        discriminator=discriminator, discriminated_side=settings.window, frozen_networks=frozen,
    )  # fmt: skip
    if data is not None:
        show_data(data, console)
    show(found, console, price)
    if settings.weight("identity") and identity is None:
        console.print("· The identity network is not counted: its size is known from its file (--identity).")


def frozen_networks(settings: GeneratorConfig, identity: Path | None) -> list[FrozenNetwork]:
    """The frozen networks of the terms that have a weight; only the identity network's shape lies in its file."""
    frozen_networks = []
    if settings.weight("perceptual"):
        frozen_networks.append(FrozenNetwork("perceptual", PerceptualFeatures(), settings.window, others=1))
    if settings.weight("mesh"):
        regressor = RegressorNet()
        frozen_networks.append(FrozenNetwork("regressor", regressor, regressor.size, others=0))
    if settings.weight("identity") and identity is not None:
        opened = open_identity(identity)
        frozen_networks.append(FrozenNetwork("identity", opened.network, opened.side, others=1))
    return frozen_networks
