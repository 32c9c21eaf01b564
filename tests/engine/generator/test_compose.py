"""The compositor's three twins."""

import numpy as np
import pytest
import torch

from engine.generator import compose_torch
from engine.generator.compose_fast import Compositor, pack
from engine.generator.compose_reference import compose
from engine.generator.flow import enlarge, pixel_grid
from engine.generator.variants import COLOUR, FLOW, MASK
from engine.values import Floats, Picture
from tests.engine.generator import scenes

MIX = np.array([[0.9, 0.1, 0.0], [0.05, 0.85, 0.1], [0.0, 0.2, 0.8]], np.float32)


def some_state(size: int) -> Floats:
    """A state as a trained network might give it: colour, flow and suppression everywhere."""
    state = np.random.default_rng(4).normal(0, 0.1, (6, size, size)).astype(np.float32)
    state[3:5] *= 0.1
    state[5] = np.clip(state[5] * 5, 0, 1)
    return state


def fast(scene: scenes.Scene, state: Floats, mix: Floats, threads: int = 2) -> Picture:
    compositor = Compositor(scene.plate.shape[0], state.shape[1], threads=threads)
    packed = pack(scene.foreground, scene.matte, scene.plate)
    return compositor.compose(state, scene.flow, packed, render=scene.render, render_weight=scene.render_weight, mix=mix).copy()


def reference(scene: scenes.Scene, state: Floats, mix: Floats) -> Picture:
    return compose(
        state, scene.flow, foreground=scene.foreground, matte=scene.matte, plate=scene.plate, render=scene.render,
        render_weight=scene.render_weight, mix=mix,
    )  # fmt: skip


@pytest.mark.parametrize("state_size", [32, 64, 128])
def test_torch_equals_the_reference(state_size: int) -> None:
    scene, state = scenes.moving(128), some_state(state_size)
    _, layers, drive = scene.tensors()
    large = enlarge(torch.from_numpy(state)[None], 128 // state_size)
    picture = compose_torch.prior_picture(layers, drive.prior + large[:, FLOW], drive.render, drive.render_weight)
    got = scenes.picture(compose_torch.blend(picture, large[:, COLOUR], large[:, MASK], torch.from_numpy(MIX)))
    difference = np.abs(np.clip(got, 0, 255) - reference(scene, state, MIX))
    assert difference.max() <= 0.51  # the reference is rounded


@pytest.mark.parametrize(("size", "state_size"), [(512, 128), (512, 256), (128, 128), (128, 64)])
def test_fast_equals_the_reference(size: int, state_size: int) -> None:
    scene, state = scenes.moving(size), some_state(state_size)
    got, wanted = fast(scene, state, MIX), reference(scene, state, MIX)
    assert np.abs(got.astype(int) - wanted).max() <= 2
    assert scenes.decibels(got, wanted) >= 55


def test_fast_hands_the_photograph_through_bit_for_bit() -> None:
    scene = scenes.still(512)
    assert np.array_equal(fast(scene, np.zeros((6, 128, 128), np.float32), np.eye(3, dtype=np.float32)), scene.photo)


def test_what_is_clear_in_the_foreground_stays_within_its_range() -> None:
    """Bicubic weights overshoot beside an edge; levels must not, nor wrap around."""
    scene = scenes.still(64)
    scene.foreground[:], scene.foreground[:, 32:] = 0, 255
    scene.flow[..., 0] = 0.5 / 32
    state, eye = np.zeros((6, 64, 64), np.float32), np.eye(3, dtype=np.float32)
    got = fast(scene, state, eye)
    assert np.array_equal(got, reference(scene, state, eye))
    assert (got[:, :30] == 0).all()
    assert (got[:, 33:] == 255).all()


@pytest.mark.parametrize("flow_px", [1.0, -2.0, 0.5, -0.25, 7.75])
def test_fast_equals_the_reference_beside_the_border(flow_px: float) -> None:
    scene, state = scenes.still(32), np.zeros((6, 32, 32), np.float32)
    scene.flow[..., 0], scene.flow[..., 1] = flow_px / 16, -flow_px / 16
    eye = np.eye(3, dtype=np.float32)
    assert np.abs(fast(scene, state, eye).astype(int) - reference(scene, state, eye)).max() <= 1


def test_any_number_of_threads_gives_the_same_picture() -> None:
    scene, state = scenes.moving(128), some_state(64)
    assert np.array_equal(fast(scene, state, MIX, threads=1), fast(scene, state, MIX, threads=3))


@pytest.mark.parametrize("rubbish", [np.nan, np.inf, -np.inf, 1e30, -3.0])
def test_a_senseless_flow_stays_inside_the_picture(rubbish: float) -> None:
    scene = scenes.still(64)
    scene.flow[:, ::2] = rubbish
    got = fast(scene, np.zeros((6, 32, 32), np.float32), np.eye(3, dtype=np.float32))
    assert got.min() >= scene.photo.min()
    assert got.max() <= scene.photo.max()
    assert np.isin(got[:, ::2].reshape(-1, 3), scene.photo.reshape(-1, 3)).all()  # places on the border


def test_the_grid_is_that_of_the_conventions() -> None:
    from engine import conventions

    np.testing.assert_allclose(pixel_grid(16)[0].permute(1, 2, 0).numpy(), conventions.pixel_grid(16), atol=1e-7)
