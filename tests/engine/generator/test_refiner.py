"""The refiner: live use's equals the one that is trained, it stays in its windows, and says nothing before it has learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.components import OUTLINES, corners, middles
from engine.generator.far import FarGenerator
from engine.generator.graphs import RefinerGraph
from engine.generator.refinement import Refinement
from engine.generator.refiner import Refiner, fade
from engine.generator.variants import LIVE, TINY_LIVE, Variant
from engine.values import Floats, Picture
from tests.engine.generator import scenes

LARGER_EYES = replace(TINY_LIVE, eye=(16, 8))  # their windows overlap


def loud(variant: Variant) -> FarGenerator:
    """A generator whose refiner changes much."""
    generator = scenes.made(variant, trained=True)
    assert generator.refiner is not None
    with torch.no_grad():
        for net in (generator.refiner.mouth, generator.refiner.eye):
            net.head.weight *= 10
    return generator


class TorchSession:
    """The graph 'refiner' without an exporter between."""

    engine = "torch"

    def __init__(self, variant: Variant, *, broken: bool = False) -> None:
        self._graph = RefinerGraph(loud(variant))
        self._broken = broken
        self.inputs: Mapping[str, tuple[int, ...]] = {name: tuple(value.shape) for name, value in self._graph.example().items()}

    def run(self, feeds: Mapping[str, Floats]) -> dict[str, Floats]:
        with torch.inference_mode():
            outputs = self._graph(*(torch.from_numpy(np.ascontiguousarray(feeds[name])) for name in self.inputs))
        answers = {name: output.numpy() for name, output in zip(self._graph.outputs, outputs, strict=True)}
        if self._broken:
            answers["eyes_state"][0, 0, 0, 0] = np.nan
        return answers


def refined(variant: Variant, scene: scenes.Scene, *, strength: float = 1.0, broken: bool = False) -> Picture:
    picture = scene.photo.copy()
    refinement = Refinement(TorchSession(variant, broken=broken), variant)
    refinement.apply(picture, scene.render, scene.render_weight, scene.components, np.full(3, strength, np.float32))
    return picture


@pytest.mark.parametrize("variant", [TINY_LIVE, LARGER_EYES, LIVE], ids=["tiny", "overlapping", "live"])
def test_live_use_refines_as_training_does(variant: Variant) -> None:
    scene = scenes.moving(variant.size)
    network = loud(variant).refiner
    assert network is not None
    _, _, drive = scene.tensors()
    trained = network(scenes.tensor(scene.photo), drive.render, drive.render_weight, drive.components)
    wanted = np.clip(scenes.picture(trained), 0, 255)
    got = refined(variant, scene)
    assert np.abs(got.astype(float) - scene.photo).max() > 20  # so that it means something
    assert np.abs(got - wanted).max() <= (0.51 if variant is not LARGER_EYES else 20)
    assert scenes.decibels(got, wanted) > 45


def test_only_the_windows_change_and_their_edges_hardly() -> None:
    scene = scenes.moving(LIVE.size)
    changed = np.abs(refined(LIVE, scene).astype(int) - scene.photo).max(2)
    outside = np.ones_like(changed, bool)
    for (x, y), (width, height) in zip(corners(scene.components, LIVE.windows, LIVE.size), LIVE.windows, strict=True):
        window = changed[y : y + height, x : x + width]
        outside[y : y + height, x : x + width] = False
        edge = np.concatenate([window[0], window[-1], window[:, 0], window[:, -1]])
        assert edge.mean() < 0.2 * window.mean()
    assert not changed[outside].any()


def test_a_window_that_would_leave_the_picture_is_moved_inside() -> None:
    scene = replace(scenes.moving(LIVE.size), components=np.array([[1.4, 1.4], [-2, 0], [0, -1.0]], np.float32))
    places = corners(scene.components, LIVE.windows, LIVE.size)
    (mouth_width, mouth_height), (eye_width, eye_height) = LIVE.mouth, LIVE.eye
    assert places.tolist() == [[512 - mouth_width, 512 - mouth_height], [0, 256 - eye_height // 2], [256 - eye_width // 2, 0]]
    assert refined(LIVE, scene).shape == scene.photo.shape


def test_weaker_corrections_are_smaller_and_none_are_none() -> None:
    scene = scenes.moving(LIVE.size)
    none, half, full = (refined(LIVE, scene, strength=strength).astype(int) - scene.photo for strength in (0.0, 0.5, 1.0))
    assert not none.any()
    assert 0 < np.abs(half).mean() < np.abs(full).mean()


def test_an_answer_that_is_not_finite_changes_nothing() -> None:
    scene = scenes.moving(TINY_LIVE.size)
    assert np.array_equal(refined(TINY_LIVE, scene, broken=True), scene.photo)


def test_untrained_it_changes_nothing() -> None:
    scene = scenes.moving(LIVE.size)
    _, _, drive = scene.tensors()
    picture = scenes.tensor(scene.photo)
    assert torch.equal(Refiner(LIVE)(picture, drive.render, drive.render_weight, drive.components), picture)


def test_a_mirrored_face_is_refined_mirrored_at_the_eyes() -> None:
    """The left eye is seen as a right one: what stands mirrored is corrected mirrored."""
    scene = scenes.moving(LIVE.size)
    upright = replace(scene, components=np.array([[0, 0.6], [-0.4, -0.25], [0.4, -0.25]], np.float32))
    mirrored = replace(
        upright,
        photo=upright.photo[:, ::-1].copy(),
        render=upright.render[:, ::-1].copy(),
        render_weight=upright.render_weight[:, ::-1].copy(),
    )
    eyes = slice(0, 256)
    assert np.array_equal(refined(LIVE, mirrored)[eyes], refined(LIVE, upright)[eyes, ::-1])


def test_the_middle_of_a_component_lies_between_its_outermost_landmarks() -> None:
    points = np.zeros((478, 2), np.float32)
    points[61], points[291] = (-0.2, 0.5), (0.4, 0.5)  # corners of the mouth
    points[17] = (0.1, 0.7)
    got = middles(points[OUTLINES])
    np.testing.assert_allclose(got[0], (0.1, 0.35), atol=1e-6)  # the other landmarks of the lips are at (0, 0)
    np.testing.assert_allclose(got[1:], 0, atol=1e-6)


def test_corrections_fade_toward_the_edge() -> None:
    weight = fade((32, 24))
    assert weight.shape == (24, 32)
    assert float(weight[12, 16]) == 1
    assert float(weight[0].max()) < 0.1
    assert torch.equal(weight, weight.flip(0, 1))
