"""Batches for the generator: which pairs a step sees depends on the seed and the images seen so far, on nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from engine.components import COMPONENTS, OUTLINES, middles
from engine.errors import InputError
from engine.generator.compose_torch import Layers, RenderInputsTorch
from engine.generator.upsampling import upsampled
from engine.generator.variants import Variant
from engine.values import Floats, Picture
from trainer.data.mirror import Mirror
from trainer.data.shards import CROP_PX
from trainer.generator.augment import TrainingPair, augment
from trainer.generator.mining import prefer, wrongness
from trainer.generator.scenes import Plane, SceneFolder
from trainer.training.loading import ExampleMixture, TensorBatch

REGIONS = tuple(zip(COMPONENTS, (1.25, 1.7, 1.7), strict=True))  # landmarks of a region, and by how much their hull is widened
LIDS = 0.15  # margin above and below a region, in its widths
JITTER = 0.12  # of such a window's centre, crop coordinates


@dataclass(frozen=True)
class GeneratorBatch(TensorBatch):
    """N pairs, those with a target first. S is the variant's size, W the window's side.

    photo (N, 3, S, S) I_s −1…1 · layers, drive: what the generator takes · target (T, 3, S, S), T ≤ N, I_d of the first T
    regions (N, 1, S, S) 1 in mouth and eyes · source_points, points (N, 478, 2) crop coordinates of I_s and of what is wanted
    tight (N, 3) centre x, y and half side, crop coordinates, of the crop for the regressor · tight_pose (N, 6)
    windows (N, 2) left and upper edge of the window at full resolution [px] · names for messages
    """

    photo: Tensor
    layers: Layers
    drive: RenderInputsTorch
    target: Tensor
    regions: Tensor
    source_points: Tensor
    points: Tensor
    tight: Tensor
    tight_pose: Tensor
    windows: Tensor
    names: tuple[str, ...]


class GeneratorMixture(ExampleMixture["PairDraw", "WindowedPair", GeneratorBatch]):
    """Sets of scenes drawn with fixed shares, with replacement."""

    def __init__(
        self,
        sets: Sequence[SceneFolder],
        shares: Sequence[float],
        mirror: Mirror,
        *,
        seed: int,
        variant: Variant,
        window: int,
        on_components: float,
        candidates: int,
    ) -> None:
        """``window``, ``on_components``, ``candidates``: as in ``GeneratorConfig``. Raises InputError without sets, when the
        shares do not fit, or when a set has nothing to reconstruct."""
        if not sets or len(sets) != len(shares) or min(shares) <= 0:
            raise InputError(f"Each set of scenes needs a share above 0; got {len(sets)} sets and the shares {list(shares)}.")
        for one in sets:
            if not one.same:
                raise InputError(f"{one.name} holds no scene with a target: make it again by `python -m trainer scenes`.")
        self._sets, self._mirror, self._seed = sets, mirror, seed
        self._window, self._on_components, self._candidates = window, on_components, candidates
        self._size = variant.size
        self._shares = np.array(shares) / sum(shares)

    def draws(self, images: int, count: int, cross: float, part: tuple[int, int] = (0, 1)) -> list[PairDraw]:
        """What the batch of ``count`` pairs after ``images`` is made of, of which the share ``cross`` has no target; or of
        ``part`` (k, n) the k-th of n equal parts, each with the same share."""
        rng = np.random.default_rng([self._seed, images])
        same = count - round(count * cross)
        drawn = [self._draw(rng, number < same) for number in range(count)]
        return [d for group in (drawn[:same], drawn[same:]) for d in _share(group, *part)]

    def batch(self, images: int, count: int, cross: float, part: tuple[int, int] = (0, 1)) -> GeneratorBatch:
        """The batch of ``draws``."""
        return self.load(self.draws(images, count, cross, part))

    def collate(self, examples: Sequence[WindowedPair]) -> GeneratorBatch:
        """See ``collate``."""
        return collate(
            [one.pair for one in examples], [one.corner for one in examples], [one.name for one in examples], self._size
        )

    def _draw(self, rng: np.random.Generator, same: bool) -> PairDraw:
        chosen = int(rng.choice(len(self._sets), p=self._shares))
        pool = self._sets[chosen].same if same or not self._sets[chosen].cross else self._sets[chosen].cross
        numbers = rng.integers(len(pool), size=self._candidates if same else 1)
        return PairDraw(chosen, tuple(pool[int(number)] for number in numbers), int(rng.integers(2**62)))

    def __getitem__(self, draw: PairDraw) -> WindowedPair:
        """A pair of a draw: of its candidates one is taken, augmented."""
        rng, scenes = np.random.default_rng(draw.seed), self._sets[draw.chosen]
        pairs = [scenes[place] for place in draw.places]
        number = 0 if len(pairs) == 1 else prefer([wrongness(*pair) for pair in pairs], rng)
        pair = augment(TrainingPair(*pairs[number]), rng, self._mirror)
        corner = draw_window(pair.moment.points, self._size, self._window, self._on_components, rng)
        return WindowedPair(pair, corner, scenes.label(*draw.places[number]))


@dataclass(frozen=True)
class PairDraw:
    """What was drawn of a set: (scene, moment) places, of which one is taken, and the seed of what is done to it."""

    chosen: int
    places: tuple[tuple[int, int], ...]
    seed: int


@dataclass(frozen=True)
class WindowedPair:
    """A pair, the left and upper edge [px] of its window, and its name for messages."""

    pair: TrainingPair
    corner: tuple[int, int]
    name: str


def _share(group: list[PairDraw], k: int, n: int) -> list[PairDraw]:
    each = len(group) // n
    return group[k * each : (k + 1) * each]


def draw_window(points: Floats, size: int, window: int, on_components: float, rng: np.random.Generator) -> tuple[int, int]:
    """Left and upper edge [px] of the window that the discriminator and the perceptual term see: with the chance
    ``on_components`` around mouth or eyes, else anywhere."""
    most = size - window
    if rng.random() < on_components:
        region, _ = REGIONS[int(rng.integers(len(REGIONS)))]
        centre = points[list(region)].mean(0) + rng.normal(0, JITTER, 2)
        corner = (centre + 1) * size / 2 - window / 2
    else:
        corner = rng.uniform(0, most + 1, 2)
    x, y = np.clip(np.floor(corner), 0, most).astype(int)
    return int(x), int(y)


def collate(pairs: Sequence[TrainingPair], windows: Sequence[tuple[int, int]], names: Sequence[str], size: int) -> GeneratorBatch:
    """Pairs as tensors of ``size`` pixels, those with a target first."""

    def pictures(arrays: Sequence[NDArray[Any]]) -> Tensor:
        return _fitted(_unit(arrays), size)

    def planes(arrays: Sequence[NDArray[Any]], scale: float) -> Tensor:
        return _fitted(torch.from_numpy(np.stack(arrays)[:, None].astype(np.float32) * scale), size)

    def numbers(arrays: Sequence[NDArray[Any]]) -> Tensor:
        return torch.from_numpy(np.stack(arrays).astype(np.float32))

    sources, moments = [pair.source for pair in pairs], [pair.moment for pair in pairs]
    photo = pictures([source.photo for source in sources])
    layers = Layers(
        _unit([upsampled(_shrunk(source.foreground, size)) for source in sources]),
        planes([source.matte for source in sources], 1 / 255),
        pictures([source.plate for source in sources]),
    )
    drive = RenderInputsTorch(
        numbers([moment.z for moment in moments]),
        _fitted(numbers([moment.flow.astype(np.float32).transpose(2, 0, 1) for moment in moments]), size),
        pictures([moment.render for moment in moments]),
        planes([moment.coverage for moment in moments], 1.0),
        planes([moment.render_weight for moment in moments], 1 / 255),
        numbers([middles(moment.points[OUTLINES]) for moment in moments]),
    )
    targets = [moment.target for moment in moments if moment.target is not None]
    tight = numbers([moment.tight for moment in moments]) * torch.tensor([2 / CROP_PX, 2 / CROP_PX, 1 / CROP_PX])
    return GeneratorBatch(
        photo,
        layers,
        drive,
        pictures(targets) if targets else photo[:0],
        planes([region_mask(moment.points) for moment in moments], 1.0),
        numbers([source.points for source in sources]),
        numbers([moment.points for moment in moments]),
        tight - torch.tensor([1.0, 1.0, 0.0]),
        numbers([moment.tight_pose for moment in moments]),
        torch.tensor(windows),
        tuple(names),
    )


def region_mask(points: Floats, regions: Sequence[tuple[Sequence[int], float]] = REGIONS) -> Plane:
    """(512, 512) 1 in mouth and eyes with their lids, from (478, 2) landmarks in crop coordinates; or in some of them."""
    mask = np.zeros((CROP_PX, CROP_PX), np.uint8)
    for region, wider in regions:
        own = (points[list(region)] + 1) * CROP_PX / 2
        hull = own.mean(0) + wider * (own - own.mean(0))
        lids = np.array([0, LIDS * np.ptp(own[:, 0])])  # a closed eye is a line
        hull = np.concatenate([hull - lids, hull + lids])
        cv2.fillConvexPoly(mask, cv2.convexHull(hull.round().astype(np.int32)), (1,))
    return mask


def _unit(arrays: Sequence[NDArray[Any]]) -> Tensor:
    """N pictures (H, W, 3) uint8 → (N, 3, H, W), −1…1."""
    return torch.from_numpy(np.stack(arrays).transpose(0, 3, 1, 2).copy()).float() / 127.5 - 1


def _shrunk(picture: Picture, size: int) -> Picture:
    """``_fitted`` of a picture in levels."""
    return (
        picture if len(picture) == size else np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
    )


def _fitted(planes: Tensor, size: int) -> Tensor:
    return planes if planes.shape[-1] == size else functional.avg_pool2d(planes, planes.shape[-1] // size)
