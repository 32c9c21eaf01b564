"""The settings of a generator's training, read from TOML and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from engine.errors import ConfigError
from engine.generator.variants import VARIANTS

TERMS = ("reconstruction", "perceptual", "restraint", "adversarial", "mesh", "identity")
PARTS = ("everything", "refiner")
PRECISIONS = ("float32", "bfloat16", "float16")

# What may change when a run goes on: how long, how often it reports, and on how many threads.
FREE = ("images", "decay", "checkpoint_every", "report_every", "pictures_every", "threads")


@dataclass(frozen=True)
class GeneratorConfig:
    """Every field is a setting of the file; the paper's numbers where it gives any (section 4), StyleGAN2's for R1.

    variant           "live", "paper", …: ``engine.generator.variants``
    learns            "everything", or only the "refiner" of mouth and eyes, whose steps are cheaper
    flow              False: ablation A of the paper, sources are concatenated unwarped
    images            length of the training
    batch             pictures a step, over all processes
    accumulate        parts in which each process takes its share of a batch, to save memory
    precision         of the generator's convolutions: "float32", "bfloat16" or "float16"; flows and losses are always float32
    rate              learning rate of Adam (0, 0.99)
    warm_up           images until that rate is reached
    decay             share of the run, at its end, in which the rate falls
    half_life         of the averaged weights [images]
    weights           term → weight in eq. 13 and 14, names as in ``TERMS``
    cross             share of a batch that shows somebody else's motion; the others have a target
    regions           how much more a pixel of mouth and eyes counts than others
    candidates        so many pairs are drawn for one, which is taken with a chance as geometry is wrong about its mouth and eyes
    window            side of the full-resolution window in which pictures are judged [px]
    on_components     share of these windows that lie on mouth or eyes; the others lie anywhere
    r1_every          steps between two gradient penalties
    r1_weight         γ of R1
    discriminator     width of its finest layer
    seed              of everything random
    checkpoint_every  images between checkpoints
    report_every      images between points of the curves
    pictures_every    images between grids of pictures
    threads           of torch on a CPU; 0 = its own choice
    """

    variant: str = "live"
    learns: str = "everything"
    flow: bool = True
    images: int = 100_000
    batch: int = 8
    accumulate: int = 1
    precision: str = "float32"
    rate: float = 1e-3
    warm_up: int = 400
    decay: float = 0.3
    half_life: float = 2_000.0
    weights: Mapping[str, float] = field(
        default_factory=lambda: {
            "reconstruction": 1.0,
            "perceptual": 1.0,
            "restraint": 0.05,
            "adversarial": 0.02,
            "mesh": 0.1,
            "identity": 0.1,
        }
    )
    cross: float = 0.5
    regions: float = 4.0
    candidates: int = 1
    window: int = 256
    on_components: float = 0.6
    r1_every: int = 16
    r1_weight: float = 1.0
    discriminator: int = 16
    seed: int = 0
    checkpoint_every: int = 1_600
    report_every: int = 80
    pictures_every: int = 1_600
    threads: int = 0

    def __post_init__(self) -> None:
        """Raises ConfigError for an impossible value."""
        if self.variant not in VARIANTS:
            raise ConfigError(f"variant must be one of {', '.join(VARIANTS)}; got {self.variant!r}.")
        if self.precision not in PRECISIONS:
            raise ConfigError(f"precision must be one of {', '.join(PRECISIONS)}; got {self.precision!r}.")
        if self.learns not in PARTS:
            raise ConfigError(f"learns must be one of {', '.join(PARTS)}; got {self.learns!r}.")
        if self.learns == "refiner" and not VARIANTS[self.variant].has_refiner:
            raise ConfigError(f'The variant {self.variant} has no refiner that could learn: set learns = "everything".')
        positive = (
            "images", "batch", "accumulate", "rate", "warm_up", "half_life", "regions", "candidates", "window", "r1_every",
            "discriminator", "checkpoint_every", "report_every", "pictures_every",
        )  # fmt: skip
        for name in positive:
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be greater than 0; got {getattr(self, name)!r}.")
        for name in ("decay", "cross", "on_components"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} must lie in 0…1; got {getattr(self, name)!r}.")
        size = VARIANTS[self.variant].size
        if self.window > size or self.window & (self.window - 1):
            raise ConfigError(f"window must be a power of two of at most {size}; got {self.window}.")
        unknown = set(self.weights) - set(TERMS)
        if unknown:
            raise ConfigError(f"weights has unknown terms {sorted(unknown)}; there are {', '.join(TERMS)}.")

    def weight(self, term: str) -> float:
        """0 for a term that is not given: it is not computed then."""
        return float(self.weights.get(term, 0.0))

    def fingerprint(self) -> dict[str, Any]:
        """What must not change between two parts of one run."""
        return {name: value for name, value in asdict(self).items() if name not in FREE}
