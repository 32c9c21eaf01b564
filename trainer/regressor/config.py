"""The configuration of a regressor's training."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from trainer.regressor.losses import DEFAULT_WEIGHTS
from trainer.regressor.network import BackboneName
from trainer.regressor.photometric import SELF_SUPERVISED
from trainer.training.config import Count, Positive, Share, TrainingConfig, Weights


class RegressorConfig(TrainingConfig):
    """Besides those of ``TrainingConfig``, every field is a setting of the file and, with - for _, of the command line.

    backbone          "lite0" (the camera's) or "resnet50" (the paper's)
    size              of the network's picture [px], a multiple of 32
    frozen_blocks     so many of the backbone's first blocks keep their ImageNet weights
    gradient_norm     larger gradients are cut to this
    identity          file of an identity network (``trainer.identity``), which the perceptual term needs; "" = none
    """

    FREE: ClassVar[frozenset[str]] = TrainingConfig.FREE | {"identity"}  # where a file lies may change
    TERMS: ClassVar[tuple[str, ...]] = (*DEFAULT_WEIGHTS, *SELF_SUPERVISED)

    backbone: BackboneName = "lite0"
    size: Count = 160
    frozen_blocks: Annotated[int, Field(ge=0)] = 3
    images: Count = 200_000
    batch: Count = 32
    rate: Positive = 5e-4
    warm_up: Count = 1_000
    decay: Share = 0.4
    half_life: Positive = 2_000.0
    gradient_norm: Positive = 2.0
    weights: Weights = Field(default_factory=lambda: dict(DEFAULT_WEIGHTS))
    checkpoint_every: Count = 3_200
    report_every: Count = 320
    pictures_every: Count = 3_200
    identity: str = ""
