"""Batches for training: which examples a step sees depends on the seed and the images seen so far, on nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.errors import InputError
from trainer.data.mirror import Mirror
from trainer.regressor.augment import augment, resized
from trainer.regressor.examples import Example, ExampleSet
from trainer.regressor.losses import Targets


@dataclass(frozen=True)
class Batch:
    """pictures (N, 3, S, S) −1…1; targets; and names such as "clips[17]", for messages."""

    pictures: Tensor
    targets: Targets
    names: tuple[str, ...]

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        t = self.targets
        targets = Targets(t.z.to(device), t.trust.to(device), t.landmarks.to(device))
        return Batch(self.pictures.to(device), targets, self.names)


class Mixture:
    """Example sets drawn with fixed shares, with replacement."""

    def __init__(self, sets: Sequence[ExampleSet], shares: Sequence[float], mirror: Mirror, seed: int, size_px: int) -> None:
        """Raises InputError without sets, or when the shares do not fit."""
        if not sets or len(sets) != len(shares) or min(shares) <= 0:
            raise InputError(f"Each example set needs a share above 0; got {len(sets)} sets and the shares {list(shares)}.")
        self._sets, self._mirror, self._seed, self._size = sets, mirror, seed, size_px
        self._shares = np.array(shares) / sum(shares)

    def batch(self, images: int, count: int, part: slice = slice(None)) -> Batch:
        """The batch of ``count`` examples after ``images``, or the part of it that one process takes."""
        rng = np.random.default_rng([self._seed, images])
        chosen = rng.choice(len(self._sets), count, p=self._shares)
        places = [int(rng.integers(len(self._sets[k]))) for k in chosen]
        seeds = rng.integers(2**63, size=count)
        examples, names = [], []
        for k, place, seed in list(zip(chosen, places, seeds, strict=True))[part]:
            examples.append(augment(self._sets[k][place], np.random.default_rng(seed), self._mirror, self._size))
            names.append(f"{self._sets[k].name}[{place}]")
        return collate(examples, names)


def collate(examples: Sequence[Example], names: Sequence[str]) -> Batch:
    """Examples of one size as tensors."""
    images = np.stack([e.image for e in examples]).transpose(0, 3, 1, 2)
    pictures = torch.from_numpy(np.ascontiguousarray(images)).float() / 127.5 - 1
    z, trust, landmarks = (
        torch.from_numpy(np.stack([getattr(e, name) for e in examples]).astype(np.float32))
        for name in ("z", "trust", "landmarks")
    )
    return Batch(pictures, Targets(z, trust, landmarks), tuple(names))


def plain_batch(examples: ExampleSet, places: Sequence[int], size_px: int) -> Batch:
    """Examples as they are, for judging."""
    return collate([resized(examples[i], size_px) for i in places], [f"{examples.name}[{i}]" for i in places])
