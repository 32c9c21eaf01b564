"""The configuration of a generator's training."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from engine.errors import ConfigError
from engine.generator.variants import VARIANTS
from trainer.training.config import Count, Positive, Share, TrainingConfig, Weights

TERMS = ("reconstruction", "perceptual", "restraint", "adversarial", "mesh", "identity")


class GeneratorConfig(TrainingConfig):
    """Besides those of ``TrainingConfig``, every field is a setting of the file.

    The numbers are the paper's where it gives any (section 4), and StyleGAN2's for R1.

    variant           "live", "paper", …: ``engine.generator.variants``
    learns            "everything", or only the "refiner" of mouth and eyes, whose steps are cheaper
    flow              False: ablation A of the paper, sources are concatenated unwarped
    accumulate        parts in which each process takes its share of a batch, to save memory
    precision         of the generator's convolutions: "float32", "bfloat16" or "float16"; flows and losses are always float32
    cross             share of a batch that shows somebody else's motion; the others have a target
    regions           how much more a pixel of mouth and eyes counts than others
    candidates        so many pairs are drawn for one, which is taken with a chance as geometry is wrong about its mouth and eyes
    window            side of the full-resolution window that the discriminator and the perceptual term see [px]
    on_components     share of these windows that lie on mouth or eyes; the others lie anywhere
    r1_every          steps between two gradient penalties
    r1_weight         γ of R1
    discriminator     width of its finest layer
    """

    TERMS: ClassVar[tuple[str, ...]] = TERMS

    variant: str = "live"
    learns: Literal["everything", "refiner"] = "everything"
    flow: bool = True
    images: Count = 100_000
    batch: Count = 8
    accumulate: Count = 1
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    rate: Positive = 1e-3
    warm_up: Count = 400
    decay: Share = 0.3
    half_life: Positive = 2_000.0
    weights: Weights = Field(
        default_factory=lambda: {
            "reconstruction": 1.0,
            "perceptual": 1.0,
            "restraint": 0.05,
            "adversarial": 0.02,
            "mesh": 0.1,
            "identity": 0.1,
        }
    )
    cross: Share = 0.5
    regions: Positive = 4.0
    candidates: Count = 1
    window: Count = 256
    on_components: Share = 0.6
    r1_every: Count = 16
    r1_weight: Annotated[float, Field(ge=0)] = 1.0
    discriminator: Count = 16
    checkpoint_every: Count = 1_600
    report_every: Count = 80
    pictures_every: Count = 1_600

    def model_post_init(self, context: object) -> None:
        """Raises ConfigError for values that do not fit each other."""
        super().model_post_init(context)
        if self.variant not in VARIANTS:
            raise ConfigError(f"variant must be one of {', '.join(VARIANTS)}; got {self.variant!r}.")
        if self.learns == "refiner" and not VARIANTS[self.variant].has_refiner:
            raise ConfigError(f'The variant {self.variant} has no refiner that could learn: set learns = "everything".')
        size = VARIANTS[self.variant].size
        if self.window > size or self.window & (self.window - 1):
            raise ConfigError(f"window must be a power of two of at most {size}; got {self.window}.")
