"""``python -m trainer generator --plan``: what a training with these settings would take; no data and no weights are needed."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from torch import Tensor, nn

from trainer.generator.config import GeneratorConfig
from trainer.generator.loop import variant_of
from trainer.generator.perceptual import Perceptual
from trainer.generator.run import discriminator_of
from trainer.identity import open_identity
from trainer.plan import Judge, plan, show
from trainer.regressor.network import RegressorNet


class Features(nn.Module):
    """The perceptual network as a judge of one picture."""

    def __init__(self) -> None:
        super().__init__()
        self.perceptual = Perceptual(None)

    def forward(self, picture: Tensor) -> list[Tensor]:
        """(N, 3, S, S) → the features that are compared."""
        return self.perceptual.features(picture)


def show_plan(settings: GeneratorConfig, gpus: int, gpu: str, identity: Path | None, console: Console) -> None:
    """Prints the plan of these settings on so many GPUs. Raises ConfigError for a GPU or batch that does not suit."""
    variant = variant_of(settings.variant, flow=settings.flow)
    discriminator = discriminator_of(settings) if settings.weight("adversarial") else None
    judges = judges_of(settings, identity)
    found = plan(
        variant, settings.batch, gpus, gpu, settings.images,
        discriminator=discriminator, judged_side=settings.window, judges=judges,
    )  # fmt: skip
    show(found, console)
    if settings.weight("identity") and identity is None:
        console.print("· The identity network is not counted: its size is known from its file (--identity).")


def judges_of(settings: GeneratorConfig, identity: Path | None) -> list[Judge]:
    """The frozen networks of the terms that have a weight; only the identity network's shape lies in its file."""
    judges = []
    if settings.weight("perceptual"):
        judges.append(Judge("perceptual", Features(), settings.window, others=1))
    if settings.weight("mesh"):
        regressor = RegressorNet()
        judges.append(Judge("regressor", regressor, regressor.size, others=0))
    if settings.weight("identity") and identity is not None:
        opened = open_identity(identity)
        judges.append(Judge("identity", opened.network, opened.side, others=1))
    return judges
