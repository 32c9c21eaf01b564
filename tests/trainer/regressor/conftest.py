"""A tiny regressor world: 32-pixel crops of rendered heads, a network of a few thousand weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.conventions import place, project
from engine.head import HeadModel, load_head
from engine.render import create_renderer
from engine.render.render import render_head
from engine.values import Coefficients
from trainer.regressor.backbone import Tap
from trainer.regressor.examples import Example, ExampleSet, open_examples, write_examples
from trainer.regressor.network import BACKBONES, RegressorNet

SIZE = 32


class TinyBackbone(nn.Module):
    """A stand-in for Lite0 with the same promises."""

    taps = (Tap(8, 32),)

    def __init__(self, weights: Path | None = None) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 8, 8), nn.ReLU(), nn.Conv2d(8, 8, 4, 4), nn.ReLU())

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.stem(x)]

    def freeze(self, blocks: int) -> None:
        pass


@pytest.fixture(scope="session")
def head() -> HeadModel:
    return load_head()


def make_example(head: HeadModel, number: int, size: int = SIZE) -> Example:
    rng = np.random.default_rng(number)
    neutral = Coefficients.neutral()
    pose = np.array([*rng.normal(0, 0.15, 3), *rng.normal(0, 0.05, 2), -2], np.float32)
    expression = np.zeros(64, np.float32)
    expression[rng.integers(0, 52, 4)] = rng.random(4)
    z = Coefficients(
        rng.standard_normal(80).astype(np.float32),
        expression,
        neutral.texture,
        neutral.illumination,
        pose,
        rng.normal(0, 0.1, 4).astype(np.float32),
    )
    image, _ = render_head(head, z, create_renderer("cpu", size))
    points = project(place(head.landmarks(head.shape(z.identity, z.expression, z.gaze)), pose))[:, :2]
    return Example(image, z.vector(), np.ones(6, np.float32), points.astype(np.float32), number)


@pytest.fixture(scope="session")
def examples(head: HeadModel, tmp_path_factory: pytest.TempPathFactory) -> ExampleSet:
    folder = tmp_path_factory.mktemp("sets") / "tiny"
    write_examples(folder, [make_example(head, k) for k in range(12)])
    return open_examples(folder)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> type[TinyBackbone]:
    """Puts the stand-in in the place of Lite0."""
    monkeypatch.setitem(BACKBONES, "lite0", TinyBackbone)  # type: ignore[arg-type]
    return TinyBackbone


@pytest.fixture
def network(tiny: type[TinyBackbone], examples: ExampleSet) -> RegressorNet:
    torch.manual_seed(0)
    net = RegressorNet("lite0", SIZE)
    net.normalise_by(examples.z)
    return net
