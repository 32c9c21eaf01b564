"""Hard pairs: what geometry shows wrongly of mouth and eyes is preferred, and only that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.components import OUTLINES, middles
from engine.head import HeadModel
from tests.trainer.generator.conftest import make_scene, mix
from trainer.generator.mining import MOST, prefer, wrongness
from trainer.generator.scenes import SceneFolder, SourcePhoto, TargetFrame, write_scene


def still(head: HeadModel) -> tuple[SourcePhoto, TargetFrame]:
    """A source that is exactly its target."""
    scene = make_scene(head, 1)
    moment = scene.moments[0]
    return scene.source, replace(moment, flow=moment.flow * 0, target=scene.source.photo.copy())


def painted(moment: TargetFrame, component: int, levels: int) -> TargetFrame:
    """The target with a patch of other levels, centred on a component (or at the forehead's edge for −1)."""
    assert moment.target is not None
    centre = (middles(moment.points[OUTLINES])[component] + 1) * 256 if component >= 0 else np.array([256, 20])
    x, y = centre.astype(int)
    target = moment.target.astype(int)
    target[y - 12 : y + 12, x - 20 : x + 20] += levels
    return replace(moment, target=np.clip(target, 0, 255).astype(np.uint8))


def test_what_is_right_is_not_wrong_and_what_has_no_target_neither(head: HeadModel) -> None:
    source, moment = still(head)
    assert wrongness(source, moment) == 0
    assert wrongness(source, replace(moment, target=None)) == 0


@pytest.mark.parametrize("component", [0, 1, 2])
def test_mouth_and_eyes_count_and_the_more_the_wronger(head: HeadModel, component: int) -> None:
    source, moment = still(head)
    little, much = (wrongness(source, painted(moment, component, levels)) for levels in (10, 40))
    assert 0 < little < much <= MOST


def test_elsewhere_does_not_count(head: HeadModel) -> None:
    source, moment = still(head)
    assert wrongness(source, painted(moment, -1, 60)) == 0


def test_what_geometry_draws_follows_flow_and_rendered_head(head: HeadModel) -> None:
    source, moment = still(head)
    flow = moment.flow.copy()
    flow[...] = 8 * 2 / 512  # eight pixels
    shifted = np.roll(source.photo, (-8, -8), (0, 1))
    assert wrongness(source, replace(moment, flow=flow, target=shifted)) < 0.01
    rendered = replace(moment, render=shifted, render_weight=np.full((512, 512), 255, np.uint8), target=shifted)
    assert wrongness(source, rendered) == 0


def test_preference_is_in_proportion() -> None:
    rng = np.random.default_rng(0)
    counts = np.bincount([prefer([1.0, 3.0, 0.0], rng) for _ in range(4000)], minlength=3)
    np.testing.assert_allclose(counts / 4000, [0.25, 0.75, 0], atol=0.03)
    assert {prefer([0.0, 0.0], rng) for _ in range(50)} == {0, 1}


def test_a_mixture_with_candidates_draws_the_hard_pair_more_often(head: HeadModel, tmp_path: Path) -> None:
    for number in range(2):
        scene = make_scene(head, number)
        source, moment = still(head)
        hard = painted(moment, 0, 60) if number else painted(moment, 0, 4)
        write_scene(tmp_path / f"scene-{number}.npz", replace(scene, source=source, moments=(hard, scene.moments[1])))
    scenes = SceneFolder(tmp_path)

    def names(candidates: int, pairs: int) -> list[str]:
        mixture = mix(scenes, head, candidates)
        return [mixture[draw].name for draw in mixture.draws(0, 40, 0.0)[:pairs]]

    evenly, hard_first = names(1, 40), names(3, 40)
    assert sum("scene-1" in name for name in hard_first) > sum("scene-1" in name for name in evenly) + 6
    assert names(3, 4) == hard_first[:4]
