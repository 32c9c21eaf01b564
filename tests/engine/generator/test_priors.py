"""Geometry first: untrained, the generator hands the priors through, at the real 512²."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.generator.variants import LIVE, Variant
from tests.engine.generator import scenes

BOTH = pytest.mark.parametrize("variant", [scenes.THIN_LIVE, scenes.THIN_PAPER], ids=lambda v: v.name)
INSIDE = slice(48, -48)


def run(variant: Variant, scene: scenes.Scene) -> np.ndarray:
    with torch.inference_mode():
        return scenes.picture(scenes.made(variant)(*scene.tensors()).image)


@BOTH
def test_at_rest_the_picture_is_the_photograph(variant: Variant) -> None:
    scene = scenes.still(512)
    assert scenes.decibels(run(variant, scene), scene.photo) >= 60


@BOTH
def test_at_rest_with_matte_and_plate_the_picture_is_the_photograph(variant: Variant) -> None:
    scene = scenes.layered(512)
    assert scenes.decibels(run(variant, scene), scene.photo) >= 45


@BOTH
def test_a_known_warp_is_opencvs_remap(variant: Variant) -> None:
    scene = replace(scenes.still(512), flow=scenes.smooth_flow(512))
    wanted = scenes.remapped(scene.photo, scene.flow)
    assert scenes.decibels(wanted, scene.photo) < 25  # the warp is not a small one
    assert scenes.decibels(run(variant, scene)[INSIDE, INSIDE], wanted[INSIDE, INSIDE]) >= 40


@BOTH
def test_where_the_photograph_has_nothing_the_render_takes_its_place(variant: Variant) -> None:
    scene = scenes.still(512)
    weight = np.zeros((512, 512), np.float32)
    weight[100:200, 100:200] = 1
    got = run(variant, replace(scene, render_weight=weight))
    assert scenes.decibels(got[100:200, 100:200], scene.render[100:200, 100:200]) >= 60
    assert scenes.decibels(got[300:], scene.photo[300:]) >= 60


def test_the_real_live_variant_does_so_too() -> None:
    scene = replace(scenes.layered(512), flow=scenes.smooth_flow(512), matte=np.ones((512, 512), np.float32))
    wanted = scenes.remapped(scene.foreground, scene.flow)
    assert scenes.decibels(run(LIVE, scene)[INSIDE, INSIDE], wanted[INSIDE, INSIDE]) >= 40
