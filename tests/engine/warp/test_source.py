"""The geometry of a portrait: nothing moves at rest, what moves is carried along, the frame stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.animator import Animator, PreparedPortrait
from engine.components import OUTLINES, middles
from engine.head import Part, load_head
from engine.portrait import Portrait
from engine.regress.portrait import fit_portrait
from engine.track import Tracker
from engine.values import EXPRESSION_NAMES, Coefficients, Floats
from engine.warp.mesh import spread_over_mesh
from engine.warp.source import SourceGeometry


def turned(z: Coefficients, yaw_rad: float = 0.0, **expression: float) -> Coefficients:
    beta = z.expression.copy()
    for name, value in expression.items():
        beta[EXPRESSION_NAMES.index(name)] = value
    return replace(z, pose=z.pose + np.array([0, yaw_rad, 0, 0, 0, 0], np.float32), expression=beta)


@pytest.fixture(params=["mona_source", "hopper_source"])
def source(request: pytest.FixtureRequest) -> PreparedPortrait:
    found: PreparedPortrait = request.getfixturevalue(request.param)
    return found


def test_at_rest_nothing_moves(source: PreparedPortrait) -> None:
    prior = source.geometry.prior(source.coefficients)
    assert np.abs(prior.flow).max() < 1e-5
    unrendered = prior.render_weight < 0.01
    assert unrendered.mean() > 0.999


def test_the_border_never_moves(source: PreparedPortrait) -> None:
    flow = source.geometry.prior(turned(source.coefficients, 0.4, jawOpen=1.0)).flow
    border = np.concatenate([flow[0], flow[-1], flow[:, 0], flow[:, -1]])
    assert np.abs(border).max() < 2e-3


def test_a_turned_head_looks_up_where_the_nose_was(hopper_source: PreparedPortrait, hopper: Portrait) -> None:
    x, y = hopper.face.landmarks[1, :2].astype(int)
    flow = hopper_source.geometry.prior(turned(hopper_source.coefficients, 0.2)).flow
    # the nose is now farther right: it is found by looking to the left
    assert flow[y, x + 15, 0] < -0.03


def test_hair_follows_and_shoulders_stay(hopper_source: PreparedPortrait, hopper: Portrait) -> None:
    points = hopper.face.landmarks[:, :2]
    top, centre = points.min(0)[1], points[1, 0]
    flow: Floats = hopper_source.geometry.prior(turned(hopper_source.coefficients, 0.25)).flow
    cap = np.abs(flow[int(top) - 25, int(centre)])
    shoulders = np.abs(flow[500, 40:470]).max()
    assert cap.max() > 0.02
    assert shoulders < 0.005


def test_only_an_open_mouth_shows_the_rendered_inside(hopper_source: PreparedPortrait) -> None:
    rest = hopper_source.geometry.prior(hopper_source.coefficients).render_weight.sum()
    opened = hopper_source.geometry.prior(turned(hopper_source.coefficients, jawOpen=0.7)).render_weight.sum()
    assert opened > rest + 300


@pytest.mark.parametrize("jaw", [0.15, 0.6], ids=["parted lips", "wide open"])
def test_an_opening_mouth_is_not_painted_with_stretched_teeth(
    animator: Animator, hopper_source: PreparedPortrait, jaw: float
) -> None:
    """A photograph with an open mouth: at rest the mouth stays its own, and what comes into view is mostly the head's."""
    animator.use(hopper_source)
    crop = animator.animate(turned(hopper_source.coefficients, jawOpen=jaw), corrections="none").copy()
    (face,) = Tracker("picture").find_all(crop)
    fit = fit_portrait(load_head(), face, crop)
    geometry, rest = SourceGeometry(fit.head, fit.coefficients, fit.albedo, crop), fit.coefficients
    assert geometry.prior(rest).render_weight.mean() < 1e-3
    wider = float(rest.expression[EXPRESSION_NAMES.index("jawOpen")]) + 0.35
    assert (geometry.prior(turned(rest, jawOpen=wider)).render_weight > 0.5).sum() > 500


def test_a_laughing_portrait_closes_its_mouth_with_lips(animator: Animator, hopper_source: PreparedPortrait) -> None:
    """Shut, it shows hardly anything of the mouth's inside."""
    laugh = dict.fromkeys(("mouthSmileLeft", "mouthSmileRight", "mouthUpperUpLeft", "mouthUpperUpRight"), 0.9)
    animator.use(hopper_source)
    crop = animator.animate(turned(hopper_source.coefficients, **laugh, jawOpen=0.1), corrections="none").copy()
    (face,) = Tracker("picture").find_all(crop)
    fit = fit_portrait(load_head(), face, crop)
    geometry, rest = SourceGeometry(fit.head, fit.coefficients, fit.albedo, crop), fit.coefficients
    inside = [Part.UPPER_TEETH, Part.LOWER_TEETH, Part.TONGUE, Part.MOUTH]

    triangles = fit.head.model.triangles
    of_mouth = np.unique(triangles[np.isin(fit.head.model.part, inside)])
    in_mouth = {tuple(corners) for corners in triangles[np.isin(triangles, of_mouth).all(1)].tolist()}

    def shown(z: Coefficients) -> int:
        geometry.prior(z)
        return len(in_mouth & {tuple(corners) for corners in geometry.rasteriser.triangles[geometry.rasteriser.seen()].tolist()})

    shut = rest.expression.copy()
    shut[[i for i, name in enumerate(EXPRESSION_NAMES) if name.startswith(("jaw", "mouth"))]] = 0
    opened, closed = shown(rest), shown(replace(rest, expression=shut))
    assert opened > 100
    assert closed < 0.2 * opened


def test_mouth_and_eyes_are_where_the_tracker_sees_them_and_turn_with_the_head(
    hopper_source: PreparedPortrait, hopper: Portrait
) -> None:
    seen = middles(hopper.face.landmarks[OUTLINES, :2]) / 256 - 1
    rest = hopper_source.geometry.prior(hopper_source.coefficients).components.copy()
    assert np.abs(rest - seen).max() * 256 < 2.5
    moved = hopper_source.geometry.prior(turned(hopper_source.coefficients, 0.2)).components - rest
    assert (moved[:, 0] > 0.03).all()  # to the right of the picture
    opened = hopper_source.geometry.prior(turned(hopper_source.coefficients, jawOpen=0.5)).components - rest
    assert opened[0, 1] > 0.02
    np.testing.assert_allclose(opened[1:], 0, atol=0.004)


def test_the_same_z_gives_the_same_prior(source: PreparedPortrait) -> None:
    z = turned(source.coefficients, 0.1)
    first = source.geometry.prior(z).flow.copy()
    source.geometry.prior(turned(source.coefficients, -0.3))
    np.testing.assert_array_equal(source.geometry.prior(z).flow, first)


def test_spreading_over_a_mesh_is_harmonic() -> None:
    strip = np.array([[i, i + 1, i + 2] for i in range(8)], np.int32)
    known = np.zeros(10, bool)
    known[[0, 1, 8, 9]] = True
    values = np.zeros((10, 1), np.float32)
    values[[8, 9]] = 1
    out = spread_over_mesh(values, known, strip)[:, 0]
    assert (np.diff(out) >= 0).all()
    neighbours = out[[2, 3, 5, 6]].mean()
    assert out[4] == pytest.approx(neighbours, abs=1e-4)
    np.testing.assert_array_equal(out[known], values[known, 0])
