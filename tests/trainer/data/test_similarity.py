"""What becomes of light and pictures when a picture is turned, enlarged and shifted."""

from __future__ import annotations

import cv2
import numpy as np

from engine.conventions import rotation
from engine.render.lighting import shade
from engine.values import Coefficients
from trainer.data.similarity import Similarity


def test_turned_light_shades_a_turned_face_as_before() -> None:
    rng = np.random.default_rng(0)
    normals = rng.normal(0, 1, (50, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    z = Coefficients.neutral()
    z.illumination[:] = np.concatenate([np.full(3, 2.0), rng.normal(0, 0.2, 24)])
    turned = Similarity(0.4, 1.1, (0.1, 0.0)).z(z)
    roll = rotation(np.array([0, 0, 0.4], np.float32))
    white = np.ones((50, 3), np.float32)
    np.testing.assert_allclose(
        shade(white, normals @ roll.T, turned.illumination), shade(white, normals, z.illumination), atol=1e-5
    )


def test_a_disc_comes_to_lie_where_its_point_does() -> None:
    similarity = Similarity(0.3, 1.2, (0.1, -0.05))
    disc = cv2.circle(np.zeros((256, 256, 3), np.uint8), (160, 100), 6, (255, 255, 255), -1)
    moved = similarity.picture(disc, 512)
    rows, columns = np.nonzero(moved[..., 0] > 128)
    found = (np.array([columns.mean(), rows.mean()]) * 2 + 1) / 512 - 1
    wanted = similarity.points(np.array([[321 / 256 - 1, 201 / 256 - 1]], np.float32))[0]
    np.testing.assert_allclose(found, wanted, atol=0.004)


def test_a_photograph_at_rest_stays_as_it_is_and_sharp_when_moved_by_half_a_pixel() -> None:
    """A bilinear one would halve the finest stripes."""
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::3] = 255
    assert np.array_equal(Similarity(0.0, 1.0, (0.0, 0.0)).picture(stripes, 64), stripes)
    half = Similarity(0.0, 1.0, (1 / 64, 0.0))
    sharp, soft = half.picture(stripes, 64)[8:-8, 8:-8, 0], half.plane(stripes, 64)[8:-8, 8:-8, 0]
    assert sharp.std() > 1.1 * soft.std()
