"""Normals and spherical harmonics."""

from __future__ import annotations

import numpy as np

from engine.render.lighting import harmonics, shade, vertex_normals
from engine.values import Coefficients, Floats


def sphere(count: int = 4000) -> Floats:
    """Evenly spread directions."""
    k = np.arange(count) + 0.5
    polar, turn = np.arccos(1 - 2 * k / count), np.pi * (1 + 5**0.5) * k
    return np.stack([np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar), np.cos(polar)], 1).astype(np.float32)


def test_neutral_light_leaves_the_albedo() -> None:
    albedo = np.random.default_rng(0).random((4000, 3)).astype(np.float32)
    np.testing.assert_allclose(shade(albedo, sphere(), Coefficients.neutral().illumination), albedo, atol=1e-6)


def test_the_harmonics_are_orthogonal() -> None:
    basis = harmonics(sphere()).astype(np.float64)
    product = basis.T @ basis / len(basis)
    np.testing.assert_allclose(product, np.diag(np.diag(product)), atol=2e-3)


def test_positive_coefficients_light_from_above_from_the_viewer_and_from_the_left() -> None:
    normals = np.eye(3, dtype=np.float32)[[1, 2, 0]]  # up, toward the viewer, to the person's left
    for harmonic in (1, 2, 3):
        light = np.zeros((9, 3), np.float32)
        light[0], light[harmonic] = 1, 0.5
        brightness = shade(np.ones((3, 3), np.float32), normals, light.ravel())[:, 0]
        assert brightness.argmax() == harmonic - 1
        assert (brightness[np.arange(3) != harmonic - 1] == 1).all()


def test_a_far_lamp_is_lambert_up_to_the_third_band() -> None:
    """The harmonics of a lamp in direction d are those of d; what they shade is the cosine's first three bands."""
    lamp = np.array([0.0, 0.6, 0.8], np.float32)
    plain = harmonics(lamp[None])[0] / [1, *[2 / 3] * 3, *[1 / 4] * 5]  # without Lambert's weights
    cosine = sphere() @ lamp
    shaded = harmonics(sphere()) @ plain / 4
    assert np.abs(shaded - np.maximum(cosine, 0)).max() < 0.1


def test_normals_of_a_sphere_point_outwards() -> None:
    u, v = np.meshgrid(np.linspace(0.05, np.pi - 0.05, 30), np.linspace(0, 2 * np.pi, 40), indexing="ij")
    vertices = np.stack([np.sin(u) * np.cos(v), np.sin(u) * np.sin(v), np.cos(u)], -1).reshape(-1, 3).astype(np.float32)
    index = np.arange(30 * 40).reshape(30, 40)
    a, b, c, d = (x.ravel() for x in (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]))
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)
    cosine = (vertex_normals(vertices, triangles) * vertices).sum(1)
    assert cosine.min() > 0.99


def test_a_vertex_without_surface_has_no_normal() -> None:
    vertices = np.zeros((4, 3), np.float32)
    assert not vertex_normals(vertices, np.array([[0, 1, 2]], np.int32)).any()
