"""Where a check runs, and what all of them need there: random batches, the networks of the losses, waiting and timing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from engine.components import COMPONENTS
from engine.generator.compose_torch import Layers, RenderInputsTorch
from engine.generator.far import FarGenerator
from engine.generator.upsampling import POINTS
from engine.generator.variants import VARIANTS, Variant
from engine.head import load_head
from engine.values import COEFFICIENTS, LANDMARKS, POSE
from trainer.generator.batches import GeneratorBatch
from trainer.generator.objective import GeneratorObjective, LossNetworks
from trainer.generator.perceptual import Perceptual
from trainer.regressor.network import RegressorNet

if TYPE_CHECKING:
    from trainer.generator.config import GeneratorConfig

MESH_SIDE_PX = 160  # of the regressor's picture


@dataclass(frozen=True)
class CheckContext:
    """The device, and whether everything is to be done in small (tests, on the CPU)."""

    device: torch.device
    small: bool = False

    @property
    def on_gpu(self) -> bool:
        """Whether the device is a GPU."""
        return self.device.type == "cuda"

    def variant(self, name: str) -> Variant:
        """The generator's variant of that name, or its tiny sister."""
        return VARIANTS[f"tiny-{name}" if self.small else name]

    def finish(self) -> None:
        """Waits for what was queued."""
        if self.on_gpu:
            torch.cuda.synchronize(self.device)

    def seconds(self, work: Callable[[], object], runs: int, warm_ups: int = 2) -> float:
        """Mean time of one call."""
        for _ in range(warm_ups):
            work()
        self.finish()
        began_s = time.perf_counter()
        for _ in range(runs):
            work()
        self.finish()
        return (time.perf_counter() - began_s) / runs


@dataclass(frozen=True)
class CheckSettings:
    """The settings of ``GeneratorConfig`` that a step reads. A plain class: pydantic is not part of a PyTorch installation."""

    variant: str
    batch: int
    window: int
    precision: str = "float32"
    accumulate: int = 1
    cross: float = 0.5
    images: int = 1_000_000
    rate: float = 1e-4
    warm_up: int = 1
    decay: float = 0.1
    half_life: float = 2_000.0
    regions: float = 4.0
    flow: bool = True
    learns: str = "everything"
    seed: int = 0
    discriminator: int = 16
    r1_every: int = 16
    r1_weight: float = 1.0
    weights: Mapping[str, float] = field(
        default_factory=lambda: {"reconstruction": 1.0, "perceptual": 1.0, "restraint": 0.05, "adversarial": 0.02, "mesh": 0.1}
    )

    def weight(self, term: str) -> float:
        """See ``TrainingConfig.weight``."""
        return self.weights.get(term, 0.0)

    def fingerprint(self) -> dict[str, str | int | float | bool]:
        """See ``TrainingConfig.fingerprint``."""
        return {"variant": self.variant, "batch": self.batch, "precision": self.precision}

    @property
    def as_config(self) -> GeneratorConfig:
        """The same for those who read no more of a ``GeneratorConfig`` than there is here."""
        return cast("GeneratorConfig", self)

    def with_precision(self, precision: str) -> CheckSettings:
        """The same otherwise."""
        return replace(self, precision=precision)


def settings_for(context: CheckContext, name: str, batch: int) -> CheckSettings:
    """Every term but identity's, whose network is a file."""
    if not context.small:
        return CheckSettings(name, batch, window=256)
    few = {"reconstruction": 1.0, "perceptual": 0.0, "restraint": 0.05, "adversarial": 0.02, "mesh": 0.0}
    return CheckSettings(f"tiny-{name}", batch, window=16, discriminator=4, r1_every=2, weights=few)


def objective_for(settings: CheckSettings, context: CheckContext) -> GeneratorObjective:
    """With untrained networks: their arithmetic is that of trained ones."""
    torch.manual_seed(1)
    networks = LossNetworks(
        Perceptual(None) if settings.weight("perceptual") else None,
        RegressorNet("lite0", MESH_SIDE_PX).eval().requires_grad_(False) if settings.weight("mesh") else None,
    )
    return GeneratorObjective(settings.as_config, load_head(), networks).to(context.device)


def random_batch(variant: Variant, settings: CheckSettings, context: CheckContext, seed: int = 0) -> GeneratorBatch:
    """Pictures with structure at every scale, moved a little; always the same for a seed, whatever the device."""
    random = torch.Generator().manual_seed(seed)
    count, size = settings.batch, variant.size
    known = count - round(count * settings.cross)

    def drawn(*shape: int, scale: float = 1.0) -> Tensor:
        return torch.randn(*shape, generator=random) * scale

    def smooth(channels: int, scale: float) -> Tensor:
        levels = [drawn(count, channels, side, side, scale=scale) for side in (4, 16, size) if side <= size]
        return torch.stack([nn.functional.interpolate(x, size=(size, size), mode="bilinear") for x in levels]).mean(0)

    photo, plate, render = (smooth(3, 0.8).clamp(-1, 1) for _ in range(3))
    matte, weight = (smooth(1, 1.0).add(0.5).clamp(0, 1) for _ in range(2))
    drive = RenderInputsTorch(
        drawn(count, COEFFICIENTS, scale=0.3),
        smooth(2, 0.05),
        render,
        matte,
        weight * 0.2,
        drawn(count, len(COMPONENTS), 2) * 0.1,
    )
    foreground = nn.functional.interpolate(photo, scale_factor=POINTS)
    middle = torch.tensor([0.0, 0.0, 0.5]).expand(count, 3)
    corners = torch.randint(0, size - settings.window + 1, (count, 2), generator=random)
    return GeneratorBatch(
        photo, Layers(foreground, matte, plate), drive, smooth(3, 0.8).clamp(-1, 1)[:known], (smooth(1, 1.0) > 0.3).float(),
        drawn(count, LANDMARKS, 2, scale=0.3), drawn(count, LANDMARKS, 2, scale=0.3), middle, drawn(count, POSE, scale=0.1),
        corners, tuple(f"random[{number}]" for number in range(count)),
    ).to(context.device)  # fmt: skip


def random_generator(variant: Variant) -> FarGenerator:
    """Always the same, with heads that are not zero as untrained ones are: of those nothing would be seen in a picture."""
    torch.manual_seed(0)
    generator = FarGenerator(variant)
    for name, value in generator.named_parameters():
        if "heads" in name:
            nn.init.normal_(value, std=0.1)
    return generator
