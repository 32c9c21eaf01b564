"""Batches for training: which examples a step sees depends on the seed and the images seen so far, on nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.errors import InputError
from trainer.data.mirror import Mirror
from trainer.regressor.augment import augment
from trainer.regressor.examples import Example, ExampleSet
from trainer.regressor.losses import Targets
from trainer.training.loading import ExampleMixture, TensorBatch


@dataclass(frozen=True)
class RegressorBatch(TensorBatch):
    """pictures (N, 3, S, S) −1…1; targets; and names such as "clips[17]", for messages."""

    pictures: Tensor
    targets: Targets
    names: tuple[str, ...]


@dataclass(frozen=True)
class ExampleDraw:
    """What was drawn: the set, the place in it, and the seed of what is done to the example."""

    chosen: int
    place: int
    seed: int


@dataclass(frozen=True)
class NamedExample:
    """An example, augmented, and its name for messages."""

    example: Example
    name: str


class RegressorMixture(ExampleMixture[ExampleDraw, NamedExample, RegressorBatch]):
    """Example sets drawn with fixed shares, with replacement."""

    def __init__(self, sets: Sequence[ExampleSet], shares: Sequence[float], mirror: Mirror, seed: int, size_px: int) -> None:
        """Raises InputError without sets, or when the shares do not fit."""
        if not sets or len(sets) != len(shares) or min(shares) <= 0:
            raise InputError(f"Each example set needs a share above 0; got {len(sets)} sets and the shares {list(shares)}.")
        self._sets, self._mirror, self._seed, self._size = sets, mirror, seed, size_px
        self._shares = np.array(shares) / sum(shares)

    def draws(self, images: int, count: int, part: tuple[int, int] = (0, 1)) -> list[ExampleDraw]:
        """What the batch of ``count`` examples after ``images`` is made of; or of ``part`` (k, n) the k-th of n equal parts."""
        rng = np.random.default_rng([self._seed, images])
        chosen = rng.choice(len(self._sets), count, p=self._shares)
        places = [int(rng.integers(len(self._sets[k]))) for k in chosen]
        seeds = rng.integers(2**63, size=count)
        k, each = part[0], count // part[1]
        drawn = [ExampleDraw(int(c), p, int(s)) for c, p, s in zip(chosen, places, seeds, strict=True)]
        return drawn[k * each : (k + 1) * each]

    def batch(self, images: int, count: int, part: tuple[int, int] = (0, 1)) -> RegressorBatch:
        """The batch of ``draws``."""
        return self.load(self.draws(images, count, part))

    def __getitem__(self, draw: ExampleDraw) -> NamedExample:
        """The example of a draw, augmented."""
        one = self._sets[draw.chosen]
        example = augment(one[draw.place], np.random.default_rng(draw.seed), self._mirror, self._size)
        return NamedExample(example, f"{one.name}[{draw.place}]")

    def collate(self, examples: Sequence[NamedExample]) -> RegressorBatch:
        """See ``collate``."""
        return collate([one.example for one in examples], [one.name for one in examples])


def collate(examples: Sequence[Example], names: Sequence[str]) -> RegressorBatch:
    """Examples of one size as tensors."""
    images = np.stack([e.image for e in examples]).transpose(0, 3, 1, 2)
    pictures = torch.from_numpy(np.ascontiguousarray(images)).float() / 127.5 - 1
    z, trust, landmarks = (
        torch.from_numpy(np.stack([getattr(e, name) for e in examples]).astype(np.float32))
        for name in ("z", "trust", "landmarks")
    )
    return RegressorBatch(pictures, Targets(z, trust, landmarks), tuple(names))
