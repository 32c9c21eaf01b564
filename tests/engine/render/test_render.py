"""I_3D of the open head."""

from __future__ import annotations

import numpy as np

from engine.head import load_head
from engine.render import create_renderer
from engine.render.reference import ReferenceRenderer
from engine.render.render import render_head, to_picture
from engine.values import Coefficients


def test_a_pose_of_zeros_shows_a_centred_face_on_black() -> None:
    picture, raster = render_head(load_head(), Coefficients.neutral(), create_renderer("cpu", 128))
    drawn = raster.triangle >= 0
    assert picture.shape == (128, 128, 3)
    assert picture.dtype == np.uint8
    assert not picture[~drawn].any()
    assert drawn[:, 64].all()
    assert abs(float(np.nonzero(drawn)[1].mean()) - 63.5) < 1


def test_fast_and_reference_give_one_picture() -> None:
    z = Coefficients.neutral()
    z.pose[:] = (0.1, 0.4, -0.1, 0.1, 0, -3)
    pictures = [render_head(load_head(), z, renderer)[0] for renderer in (create_renderer("cpu", 96), ReferenceRenderer(96))]
    assert np.abs(pictures[0].astype(int) - pictures[1]).max() <= 1


def test_light_from_the_left_brightens_the_left() -> None:
    z = Coefficients.neutral()
    z.illumination.reshape(9, 3)[[0, 3]] = [[0.6], [0.3]]
    picture, _ = render_head(load_head(), z, create_renderer("cpu", 64))
    assert picture[:, 32:].mean() > picture[:, :32].mean() + 10  # the person's left is the right of the picture


def test_values_are_rounded_and_clipped() -> None:
    values = np.array([-1, 0, 0.5, 1, 2], np.float32).reshape(1, 5, 1)
    np.testing.assert_array_equal(to_picture(values).ravel(), [0, 0, 128, 255, 255])
