"""The settings of a regressor's training, read from TOML and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from engine.errors import ConfigError
from trainer.regressor.losses import DEFAULT_WEIGHTS
from trainer.regressor.network import BACKBONES, BackboneName

SELF_SUPERVISED = (
    "photometric", "perceptual", "unlikely_identity", "unlikely_texture", "beyond_expression", "coloured_light",
)  # fmt: skip

# What may change when a run goes on: how long, how often it reports, on how many threads, and where a file lies.
FREE = ("images", "decay", "checkpoint_every", "report_every", "threads", "identity")


@dataclass(frozen=True)
class RegressorConfig:
    """Every field is a setting of the file and, with - for _, of the command line.

    backbone          "lite0" (the camera's) or "resnet50" (the paper's)
    size              of the network's picture [px], a multiple of 32
    frozen_blocks     so many of the backbone's first blocks keep their ImageNet weights
    images            length of the training
    batch             pictures a step, over all processes
    rate              peak learning rate of AdamW
    warm_up           images until that rate is reached
    decay             share of the run, at its end, in which the rate falls
    half_life         of the averaged weights [images]
    gradient_norm     larger gradients are cut to this
    weights           term → weight of the objective, names as in ``trainer.regressor.losses.TERMS`` and ``SELF_SUPERVISED``
    seed              of everything random
    checkpoint_every  images between checkpoints
    report_every      images between points of the curves
    threads           of torch on a CPU; 0 = its own choice
    identity          file of an identity network (``trainer.identity``), which the perceptual term needs; "" = none
    """

    backbone: BackboneName = "lite0"
    size: int = 160
    frozen_blocks: int = 3
    images: int = 200_000
    batch: int = 32
    rate: float = 5e-4
    warm_up: int = 1_000
    decay: float = 0.4
    half_life: float = 2_000.0
    gradient_norm: float = 2.0
    weights: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_WEIGHTS))
    seed: int = 0
    checkpoint_every: int = 3_200
    report_every: int = 320
    threads: int = 0
    identity: str = ""

    def __post_init__(self) -> None:
        """Raises ConfigError for an impossible value."""
        if self.backbone not in BACKBONES:
            raise ConfigError(f"backbone must be one of {', '.join(BACKBONES)}, got {self.backbone!r}.")
        for name in (
            "size",
            "images",
            "batch",
            "rate",
            "warm_up",
            "half_life",
            "gradient_norm",
            "checkpoint_every",
            "report_every",
        ):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be greater than 0, got {getattr(self, name)!r}.")
        if not 0 <= self.decay <= 1:
            raise ConfigError(f"decay must lie in 0…1, got {self.decay!r}.")
        known = (*DEFAULT_WEIGHTS, *SELF_SUPERVISED)
        unknown = set(self.weights) - set(known)
        if unknown:
            raise ConfigError(f"weights has unknown terms {sorted(unknown)}; there are {', '.join(known)}.")

    def fingerprint(self) -> dict[str, Any]:
        """What must not change between two parts of one run."""
        return {name: value for name, value in asdict(self).items() if name not in FREE}
