"""A tiny world for the generator: scenes of smooth random pictures, a generator of 32 pixels."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
import torch

from engine.generator.variants import TINY_LIVE
from engine.head import HeadModel, load_head
from engine.values import Coefficients, Floats, Picture
from trainer.data.mirror import mirror_of
from trainer.data.shards import CROP_PX
from trainer.generator.batches import GeneratorMixture
from trainer.generator.config import GeneratorConfig
from trainer.generator.scenes import SceneFolder, SourcePhoto, TargetFrame, TrainingScene, write_scene

TINY = GeneratorConfig(
    variant="tiny-live",
    images=16,
    batch=4,
    window=16,
    discriminator=4,
    warm_up=1,
    half_life=8.0,
    checkpoint_every=8,
    report_every=4,
    pictures_every=8,
    r1_every=2,
    workers=0,
    weights={"reconstruction": 1.0, "perceptual": 0.0, "adversarial": 0.05, "mesh": 0.0, "identity": 0.0},
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small only lose by sharing their work, most of all beside other programs."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def head() -> HeadModel:
    return load_head()


def smooth(rng: np.random.Generator) -> Picture:
    coarse = rng.integers(0, 256, (6, 6, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (CROP_PX, CROP_PX), interpolation=cv2.INTER_CUBIC), np.uint8)


def face_points(head: HeadModel) -> Floats:
    """(478, 2) a frontal face in the middle of the crop."""
    points = head.landmarks(head.mean_shape)
    return np.asarray(points[:, :2] * [0.5, -0.5], np.float32)


def make_scene(head: HeadModel, seed: int) -> TrainingScene:
    """One moment with a target, which the source cannot show exactly, and one without."""
    rng = np.random.default_rng(seed)
    z, points = Coefficients.neutral().vector(), face_points(head)
    photo, target = smooth(rng), smooth(rng)
    flow = cv2.resize(rng.normal(0, 0.05, (4, 4, 2)).astype(np.float32), (CROP_PX, CROP_PX)).astype(np.float16)
    plane = np.zeros((CROP_PX, CROP_PX), np.uint8)
    tight = np.array([256, 256, 300], np.float32)
    same = TargetFrame(z, flow, photo, plane, plane > 0, points, tight, z[251:257], target)
    other = TargetFrame(z + np.float32(0.1), flow, photo, plane, plane > 0, points, tight, z[251:257], None)
    return TrainingScene(seed, SourcePhoto(photo, plane + np.uint8(255), photo, photo, z, points), (same, other))


@pytest.fixture(scope="session")
def scenes(head: HeadModel, tmp_path_factory: pytest.TempPathFactory) -> SceneFolder:
    """Not to be changed."""
    folder = tmp_path_factory.mktemp("scenes")
    for k in range(3):
        write_scene(folder / f"scene-{k}.npz", make_scene(head, k))
    return SceneFolder(folder)


@pytest.fixture
def mixture(scenes: SceneFolder, head: HeadModel) -> GeneratorMixture:
    return mix(scenes, head)


def mix(scenes: SceneFolder, head: HeadModel, candidates: int = 1) -> GeneratorMixture:
    return GeneratorMixture(
        [scenes],
        [1.0],
        mirror_of(head),
        seed=0,
        variant=TINY_LIVE,
        window=TINY.window,
        on_components=0.6,
        candidates=candidates,
    )
