"""Several photographs of one person: pictures made of a portrait stand for the further ones, for their truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.animator import Animator, PreparedPortrait
from engine.head import load_head
from engine.landmark_indices import LID_MIDDLES
from engine.photographs.blend import LEAST_WORTH, Blender, packed
from engine.photographs.blend_reference import blend
from engine.photographs.colours import match_colours
from engine.photographs.further import FurtherFitter
from engine.photographs.regions import face_regions, movement_metric
from engine.photographs.weights import PhotographWeights
from engine.portrait import FaceInPhotograph, Portrait, find_face
from engine.values import BLINKS, EXPRESSION_NAMES, Coefficients, Picture
from tests.engine.conftest import psnr

SMILE = {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8}
OPEN = {"jawOpen": 0.5}


def moved(z: Coefficients, expressions: dict[str, float]) -> Coefficients:
    beta = z.expression.copy()
    for name, value in expressions.items():
        beta[EXPRESSION_NAMES.index(name)] = value
    return replace(z, expression=beta)


def photographed(animator: Animator, source: PreparedPortrait, expressions: dict[str, float]) -> FaceInPhotograph:
    """What a camera would have seen of the portrait's person, in its own light."""
    animator.use(source)
    picture = animator.animate(moved(source.coefficients, expressions)).copy()
    return find_face(picture, "the further photograph")


@pytest.fixture(scope="module")
def smiling(animator: Animator, hopper_source: PreparedPortrait) -> FaceInPhotograph:
    return photographed(animator, hopper_source, SMILE)


@pytest.fixture(scope="module")
def several(hopper: Portrait, hopper_source: PreparedPortrait, smiling: FaceInPhotograph) -> PreparedPortrait:
    darker = (smiling.crop * np.array([0.7, 0.75, 0.8])).astype(np.uint8)
    darker[300:312, 180:190] = (20, 160, 20)  # paint on a cheek that only this photograph shows
    return hopper_source.with_photographs(
        hopper.crop, [FurtherFitter(hopper_source.fit, hopper.face, hopper.crop).fit(replace(smiling, crop=darker))]
    )


def drawn(animator: Animator, source: PreparedPortrait, z: Coefficients) -> Picture:
    animator.use(source)
    return animator.animate(z).copy()


def test_at_rest_the_first_photograph_is_exact(animator: Animator, hopper: Portrait, several: PreparedPortrait) -> None:
    assert (drawn(animator, several, several.coefficients) == hopper.crop).all()


def test_one_photograph_has_nothing_of_this(hopper_source: PreparedPortrait) -> None:
    assert hopper_source.person is None


def test_what_only_a_further_photograph_shows_is_drawn_with_its_expression(
    animator: Animator, hopper_source: PreparedPortrait, several: PreparedPortrait
) -> None:
    assert several.person is not None
    asked = replace(several.person.further[0].z, pose=several.coefficients.pose)

    one, more = (drawn(animator, source, asked).astype(int) for source in (hopper_source, several))
    greener = (more[..., 1] - more[..., 0]) - (one[..., 1] - one[..., 0])
    assert (greener > 60).sum() > 60


def test_a_darker_photograph_is_brought_to_the_light_of_the_first(smiling: FaceInPhotograph, several: PreparedPortrait) -> None:
    assert several.person is not None
    matched = several.person.further[0].picture
    cheek = (slice(255, 285), slice(320, 345))
    assert np.abs(matched[cheek].mean((0, 1)) - smiling.crop[cheek].mean((0, 1))).max() < 8


def test_the_fast_blend_is_the_readable_one(animator: Animator, several: PreparedPortrait) -> None:
    geometry, size = several.geometry, 512
    prior = geometry.prior(moved(several.coefficients, {**SMILE, **OPEN}))
    rng = np.random.default_rng(2)
    picture, photographs = (rng.integers(0, 256, shape, np.uint8) for shape in ((size, size, 3), (3, size, size, 3)))
    screen = geometry.screen
    values = np.zeros((len(screen), 7), np.float32)
    values[:, 0] = 0.5
    for at in (1, 4):
        values[:, at : at + 2] = screen[:, :2] + np.float32(0.02 * at)
        values[:, at + 2] = np.clip(0.5 + at * screen[:, 0], 0, 1)
    rasteriser = geometry.rasteriser
    fast, drawn_numbers = picture.copy(), np.array([2, 0], np.int32)
    blender = Blender(rasteriser.triangles, rasteriser.heads, 3)
    store = np.stack([packed(photograph) for photograph in photographs])
    blender.blend(fast, rasteriser.raster, values, store, drawn_numbers, prior.render_weight, (0, size))
    everything = geometry._screen  # with the surround, which is drawn as well
    readable = blend(
        picture, everything, rasteriser.triangles, rasteriser.heads, values, [photographs[2], photographs[0]], prior.render_weight
    )
    assert (fast != picture).mean() > 0.2
    assert psnr(fast, readable) > 40  # places are in 1/256 pixel, and edges may go to the neighbour: the pictures are noise
    assert LEAST_WORTH < 0.01


def test_weights_are_the_first_photographs_at_rest_and_another_ones_at_its_expression(several: PreparedPortrait) -> None:
    rest = several.coefficients
    zs = [rest, moved(rest, SMILE), moved(rest, OPEN)]
    head = load_head()
    weights = PhotographWeights.of(movement_metric(head, face_regions(head)), zs)
    assert np.allclose(weights.picture(zs[0])[:, 0], 1, atol=1e-6)
    assert weights.picture(zs[1])[0].argmax() == 1
    assert weights.picture(zs[2])[0].argmax() == 2
    assert np.allclose(weights.picture(moved(rest, {"jawOpen": 0.2})).sum(1), 1)


def test_weights_change_no_faster_than_the_motion(several: PreparedPortrait) -> None:
    rest = several.coefficients
    head = load_head()
    zs = [rest, *(moved(rest, {name: 0.8}) for name in ("jawOpen", "mouthPucker", "mouthFunnel", "mouthSmileLeft"))]
    weights = PhotographWeights.of(movement_metric(head, face_regions(head)), zs)
    way = [moved(rest, {"jawOpen": 0.6 * t, "mouthPucker": 0.6 * (1 - t)}) for t in np.linspace(0, 1, 1000)]
    shares = np.stack([weights.picture(z) for z in way])
    assert np.abs(np.diff(shares, axis=0)).max() < 0.05


def test_open_eyes_are_no_photograph_of_shut_ones(several: PreparedPortrait) -> None:
    assert several.person is not None
    further, lids = several.person.further[0], several.geometry.lid_vertices
    shut = further.z.expression.copy()
    shut[BLINKS] = 1
    assert further.worth(further.z.expression, lids)[lids[0]].max() > 0.5
    assert further.worth(shut, lids)[lids[0]].max() == 0


def test_shut_eyes_are_wholly_shut(hopper: Portrait, hopper_source: PreparedPortrait, smiling: FaceInPhotograph) -> None:
    landmarks = smiling.face.landmarks.copy()
    for upper, lower in LID_MIDDLES:
        landmarks[list(upper), :2] = landmarks[list(lower), :2]
    shut = replace(smiling, face=replace(smiling.face, landmarks=landmarks))
    fitter = FurtherFitter(hopper_source.fit, hopper.face, hopper.crop)
    assert (fitter.fit(shut).z.expression[BLINKS] == 1).all()
    assert (fitter.fit(smiling).z.expression[BLINKS] < 0.6).all()


def test_colours_of_a_turned_light_are_matched() -> None:
    head = load_head()
    both = face_regions(head).sum(0) > 0.3
    colours = np.clip(head.mean_albedo, 0.2, 0.8).astype(np.float32)
    lit = colours * (1 + 0.3 * head.mean_shape[:, :1])
    match = match_colours(head, lit.astype(np.float32), colours, both)
    assert np.abs(lit * match.gain - colours)[both].max() < 0.03
    assert match.residual < 0.02
