"""The whole engine on real portraits."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.animator import Animator, PreparedPortrait, motion
from engine.errors import AssetError
from engine.generator.manifest import LIVE_BUNDLE
from engine.generator.variants import TINY_LIVE
from engine.portrait import Portrait
from engine.track import Tracker
from engine.values import EXPRESSION_NAMES
from tests.engine.conftest import psnr
from tests.engine.generator.exported import bundle


def test_at_rest_the_portrait_is_the_photograph(
    animator: Animator, mona: Portrait, mona_source: PreparedPortrait, hopper: Portrait, hopper_source: PreparedPortrait
) -> None:
    for portrait, source in ((mona, mona_source), (hopper, hopper_source)):
        animator.use(source)
        assert psnr(animator.animate(source.coefficients), portrait.crop) >= 45


def test_a_face_is_found_in_every_pose_of_a_conversation(
    animator: Animator, mona_source: PreparedPortrait, hopper_source: PreparedPortrait
) -> None:
    mouth = EXPRESSION_NAMES.index("jawOpen")
    with Tracker("picture") as tracker:
        for source in (mona_source, hopper_source):
            animator.use(source)
            for pitch, yaw, roll, jaw in ((0, 0.4, 0, 0), (0, -0.4, 0, 0.5), (0.2, 0, 0.25, 0), (-0.2, 0.2, -0.25, 0.8)):
                z = source.coefficients
                beta = z.expression.copy()
                beta[mouth] = jaw
                pose = z.pose + np.array([pitch, yaw, roll, 0.1, 0, 0.3], np.float32)
                assert tracker.find_all(animator.animate(replace(z, pose=pose, expression=beta)))


def test_using_a_portrait_changes_the_picture_at_once(
    animator: Animator, mona: Portrait, mona_source: PreparedPortrait, hopper_source: PreparedPortrait
) -> None:
    animator.use(hopper_source)
    animator.animate(hopper_source.coefficients)
    animator.use(mona_source)
    assert psnr(animator.animate(mona_source.coefficients), mona.crop) >= 45


def test_corrections_grow_with_the_motion(mona_source: PreparedPortrait) -> None:
    own = mona_source.coefficients
    jaw = np.zeros(64, np.float32)
    jaw[EXPRESSION_NAMES.index("jawOpen")] = 1
    slightly, more, far = (motion(replace(own, expression=own.expression + k * jaw), own) for k in (0.02, 0.06, 0.5))
    assert 0 == motion(own, own) < slightly < more < far == 1
    assert motion(replace(own, pose=own.pose + np.float32(0.01)), own) > 0
    assert motion(replace(own, gaze=own.gaze + np.float32(0.1)), own) == 1


def test_animating_before_a_portrait_was_given_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="needs a portrait"):
        Animator(engine="onnxruntime").animate(None)  # type: ignore[arg-type]


def test_another_bundle_is_used(tmp_path: Path, mona: Portrait) -> None:
    folder = Path(shutil.copytree(LIVE_BUNDLE, tmp_path / "mine"))
    animator = Animator(engine="onnxruntime", bundle=folder)
    assert psnr(animator.animate(animator.set_source(mona).coefficients), mona.crop) >= 45


def test_a_bundle_that_does_not_fit_is_refused_by_name(tmp_path: Path) -> None:
    _, tiny = bundle(TINY_LIVE)
    with pytest.raises(AssetError, match=r"draws 32 px; wanted one of 512 px"):
        Animator(engine="onnxruntime", bundle=tiny)
    with pytest.raises(AssetError, match=r"The generator in .*nothing is not complete"):
        Animator(engine="onnxruntime", bundle=tmp_path / "nothing")
