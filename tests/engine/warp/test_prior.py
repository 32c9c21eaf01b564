"""The fast prior against its readable twin, on triangles at random and on a real portrait."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.animator import PreparedPortrait
from engine.render.raster import Indices
from engine.render.reference import ReferenceRenderer
from engine.values import EXPRESSION_NAMES, Floats
from engine.warp.prior import ATTRIBUTES, Prior, PriorRasteriser
from engine.warp.prior_reference import draw_prior
from engine.warp.visible import EDGES, empty_rows, find_visible
from tests.engine.render.test_raster import plane, soup

SIZE = 64
NEAR_PX = 2e-3  # a pixel's centre so near an edge may be named its neighbour's


def beside_an_edge(screen: Floats, triangles: Indices, size: int) -> Floats:
    """(N, N) whether the raster changes when the mesh is shifted by ``NEAR_PX``: there two answers are right."""
    shift = 2 * NEAR_PX / size
    shifted = [screen + np.array([x, y, 0], np.float32) * np.float32(shift) for x in (-1, 1) for y in (-1, 1)]
    seen = [ReferenceRenderer(size).rasterise(moved, triangles).triangle for moved in (screen, *shifted)]
    return np.asarray(np.any([other != seen[0] for other in seen[1:]], 0))


@pytest.mark.parametrize("seed", range(6))
def test_the_nearest_triangle_is_the_readable_renderers(seed: int) -> None:
    screen, triangles = soup(seed, spread=(0.02, 0.1, 0.4)[seed % 3])
    depth, seen = empty_rows(SIZE)
    find_visible(screen, triangles, depth, seen, np.empty((len(triangles), EDGES), np.float32))
    expected = ReferenceRenderer(SIZE).rasterise(screen, triangles)
    same = seen[:, :SIZE] == expected.triangle
    # beside an edge, and where two triangles cut through each other, float32 may decide otherwise
    cut_through = np.isclose(depth[:, :SIZE], expected.depth, atol=1e-4)
    assert (same | cut_through | beside_an_edge(screen, triangles, SIZE)).all()
    assert same.mean() > 0.999
    np.testing.assert_allclose(depth[:, :SIZE][same], expected.depth[same], rtol=1e-4)


def test_a_mesh_has_no_cracks() -> None:
    screen, triangles = plane(23)
    depth, seen = empty_rows(SIZE)
    find_visible(screen, triangles, depth, seen, np.empty((len(triangles), EDGES), np.float32))
    assert (seen[:, :SIZE] >= 0).all()


def assert_alike(got: Prior, wanted: Prior, beside: Floats) -> None:
    """Equal within rounding, but for pixels beside an edge and those next to them (weights and I_3D are smoothed)."""
    grown = np.pad(beside, 2)
    size = len(beside)
    near = np.any([grown[j : j + size, i : i + size] for j in range(5) for i in range(5)], 0)
    assert near.mean() < 0.15
    np.testing.assert_array_equal(got.coverage[~near], wanted.coverage[~near])
    np.testing.assert_allclose(got.flow[~near], wanted.flow[~near], atol=2e-5)
    np.testing.assert_allclose(got.render_weight[~near], wanted.render_weight[~near], atol=2e-4)
    assert np.abs(got.render[~near].astype(int) - wanted.render[~near]).max() <= 1


def test_the_prior_of_a_bent_sheet_is_the_readable_ones() -> None:
    screen, triangles = plane(12)
    rng = np.random.default_rng(2)
    screen[:, 2] += rng.uniform(-0.5, 0.5, len(screen)).astype(np.float32)
    attributes = rng.uniform(-1, 1, (len(screen), ATTRIBUTES)).astype(np.float32)
    attributes[:, 2] = rng.uniform(size=len(screen)) > 0.7  # in some places nothing is photographed
    attributes[:, 3:] = rng.uniform(-40, 300, (len(screen), 3))
    heads = len(triangles) // 2
    rasteriser = PriorRasteriser(triangles, heads, SIZE)
    rasteriser.draw(screen[:, [1, 0, 2]], attributes)  # what was drawn before leaves nothing behind
    wanted = draw_prior(screen, triangles, heads, attributes, SIZE)
    assert (wanted.render_weight > 0).any()
    assert_alike(rasteriser.draw(screen, attributes), wanted, beside_an_edge(screen, triangles, SIZE))


def test_an_edge_in_the_rendered_head_is_no_saw() -> None:
    """A white sheet before a black one: what lies beside the edge is grey, whatever its slope."""
    back = np.array([[-1, -1, 3], [1, -1, 3], [-1, 1, 3], [1, 1, 3]], np.float32)
    front = np.array([[-1, -1, 2], [0.3, -1, 2], [-1, 1, 2], [-0.3, 1, 2]], np.float32)
    corners = np.array([[0, 1, 2], [1, 3, 2]], np.int32)
    attributes = np.zeros((8, ATTRIBUTES), np.float32)
    attributes[4:, 3:] = 255
    prior = PriorRasteriser(np.concatenate([corners, corners + 4]), 4, SIZE).draw(np.concatenate([back, front]), attributes)
    levels = prior.render[..., 0].astype(int)
    assert np.abs(np.diff(levels, axis=1)).max() <= 0.8 * 255
    assert ((levels > 0) & (levels < 255)).any(1).all()


def test_the_prior_of_a_portrait_is_the_readable_ones(mona_source: PreparedPortrait, monkeypatch: pytest.MonkeyPatch) -> None:
    """Turned, with an open mouth and lids half closed, drawn small so that the readable renderer is quick enough."""
    z = mona_source.coefficients
    beta = z.expression.copy()
    for name, value in (("jawOpen", 0.7), ("eyeBlinkLeft", 0.5), ("mouthSmileLeft", 0.6)):
        beta[EXPRESSION_NAMES.index(name)] = value
    handed: list[tuple[Floats, Floats]] = []
    draw = PriorRasteriser.draw

    def kept(rasteriser: PriorRasteriser, screen: Floats, attributes: Floats) -> Prior:
        handed.append((screen.copy(), attributes.copy()))
        return draw(rasteriser, screen, attributes)

    monkeypatch.setattr(PriorRasteriser, "draw", kept)
    mona_source.geometry.prior(replace(z, expression=beta, pose=z.pose + np.array([0.05, 0.25, 0.1, 0, 0, 0], np.float32)))
    (screen, attributes) = handed[0]
    rasteriser = mona_source.geometry.rasteriser
    triangles, heads, size = rasteriser.triangles, rasteriser.heads, 128
    wanted = draw_prior(screen, triangles, heads, attributes, size)
    assert (wanted.render_weight > 0).any()
    got = draw(PriorRasteriser(triangles, heads, size), screen, attributes)
    different = (np.abs(got.flow - wanted.flow).max(2) > 2e-5) | (got.coverage != wanted.coverage)
    assert different.mean() < 1e-3
    assert np.median(np.abs(got.render.astype(int) - wanted.render)) == 0
