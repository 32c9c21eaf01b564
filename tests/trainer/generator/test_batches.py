"""Which pairs a step sees, and that what is changed stays true."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from engine.conventions import pixel_grid, place, project
from engine.errors import InputError
from engine.generator.variants import TINY_LIVE
from engine.head import HeadModel
from engine.landmark_indices import LEFT_EYE, OUTER_LIPS
from engine.values import Coefficients, Floats
from tests.trainer.generator.conftest import TINY, face_points, make_scene
from trainer.data.mirror import mirror_of
from trainer.data.similarity import Similarity
from trainer.generator.augment import TrainingPair, draw_similarity, forgotten, mirrored, moved, recoloured
from trainer.generator.batches import GeneratorMixture, draw_window, region_mask
from trainer.generator.scenes import SceneFolder, TargetFrame


def screen(head: HeadModel, vector: Floats) -> Floats:
    z = Coefficients.from_vector(vector)
    shape = head.landmarks(head.shape(z.identity, z.expression, z.gaze))
    return project(place(shape, z.pose))[:, :2]


def test_a_batch_depends_on_the_images_seen_alone(mixture: GeneratorMixture) -> None:
    one, again, later = mixture.batch(8, 4, 0.5), mixture.batch(8, 4, 0.5), mixture.batch(12, 4, 0.5)
    assert one.names == again.names
    assert torch.equal(one.photo, again.photo)
    assert torch.equal(one.windows, again.windows)
    assert one.names != later.names or not torch.equal(one.photo, later.photo)


def test_half_a_batch_is_somebody_elses_motion(mixture: GeneratorMixture) -> None:
    batch = mixture.batch(0, 4, 0.5)
    assert [name[-3:] for name in batch.names] == ["[0]", "[0]", "[1]", "[1]"]
    assert batch.photo.shape == (4, 3, 32, 32)
    assert batch.target.shape == (2, 3, 32, 32)
    assert len(mixture.batch(0, 4, 0.0).target) == 4


def test_processes_share_a_batch_without_doubles(mixture: GeneratorMixture) -> None:
    whole = mixture.batch(4, 8, 0.5)
    halves = [mixture.batch(4, 8, 0.5, (k, 2)) for k in range(2)]
    assert torch.equal(torch.cat([half.target for half in halves]), whole.target)
    assert sorted(name for half in halves for name in half.names) == sorted(whole.names)
    assert all(len(half.photo) == 4 and len(half.target) == 2 for half in halves)


def test_a_mirror_twice_is_none(head: HeadModel) -> None:
    scene, mirror = make_scene(head, 1), mirror_of(head)
    pair = TrainingPair(scene.source, scene.moments[0])
    back = mirrored(mirrored(pair, mirror), mirror)
    for name in ("flow", "render", "z", "tight", "tight_pose", "target"):
        assert np.array_equal(getattr(back.moment, name), getattr(pair.moment, name)), name
    assert np.array_equal(back.source.photo, pair.source.photo)


def test_a_mirrored_flow_still_leads_to_the_same_place(head: HeadModel) -> None:
    scene = make_scene(head, 2)
    pair = TrainingPair(scene.source, scene.moments[0])
    other = mirrored(pair, mirror_of(head))
    axis = (2 * np.arange(512) + 1) / 512 - 1
    before = axis[100] + pair.moment.flow[40, 100, 0].astype(np.float64)
    after = axis[511 - 100] + other.moment.flow[40, 511 - 100, 0].astype(np.float64)
    assert after == pytest.approx(-before, abs=1e-6)


@pytest.mark.parametrize("turn", [-0.5, 0.0, 0.5])
def test_a_moved_flow_still_leads_to_the_same_place(head: HeadModel, turn: float) -> None:
    """Where an output pixel reads before, moved, is where the moved pixel reads after."""
    scene, similarity = make_scene(head, 2), Similarity(turn, 1.2, (0.03, -0.05))
    grid = pixel_grid(512)
    flow = 0.3 * np.stack([np.sin(2 * grid[..., 1]) + 0.5, np.cos(grid[..., 0] + grid[..., 1])], -1)
    pair = TrainingPair(scene.source, replace(scene.moments[0], flow=flow.astype(np.float16)))
    other = moved(pair, similarity).moment.flow.astype(np.float32)
    after = grid[100:400:20, 100:400:20].reshape(-1, 2)
    before = (after - np.asarray(similarity.shift, np.float32)) @ np.linalg.inv(similarity.matrix).T
    inside = np.abs(before).max(1) < 0.95
    led = 0.3 * np.stack([np.sin(2 * before[:, 1]) + 0.5, np.cos(before.sum(1))], -1)
    wanted = similarity.points((before + led).astype(np.float32))
    found = after + other[100:400:20, 100:400:20].reshape(-1, 2)
    assert inside.sum() > 100
    np.testing.assert_allclose(found[inside], wanted[inside], atol=2e-3)


def test_a_moved_head_has_its_landmarks_where_the_picture_has_them(head: HeadModel) -> None:
    """In the whole picture and in the tight crop; the nose is nearer than the origin, hence not closer."""
    scene, similarity = make_scene(head, 1), Similarity(0.3, 1.2, (0.1, -0.05))
    pair = TrainingPair(scene.source, scene.moments[0])
    other = moved(pair, similarity)
    np.testing.assert_allclose(screen(head, other.moment.z), similarity.points(screen(head, pair.moment.z)), atol=0.035)
    np.testing.assert_allclose(other.moment.points, similarity.points(pair.moment.points), atol=1e-6)

    def in_tight(moment: TargetFrame) -> Floats:
        z = Coefficients.from_vector(moment.z)
        own = screen(head, replace(z, pose=moment.tight_pose).vector())
        return np.asarray((moment.tight[:2] + own * moment.tight[2] / 2) * (2 / 512) - 1, np.float32)

    np.testing.assert_allclose(in_tight(other.moment), similarity.points(in_tight(pair.moment)), atol=0.01)


def test_photograph_and_target_move_as_their_points_do(head: HeadModel) -> None:
    scene, similarity = make_scene(head, 1), Similarity(0.3, 1.2, (0.1, -0.05))
    place = (0.2, 0.1)
    disc = cv2.circle(np.zeros((512, 512, 3), np.uint8), (int(1.2 * 256), int(1.1 * 256)), 6, (255, 255, 255), -1)
    pair = TrainingPair(replace(scene.source, photo=disc), replace(scene.moments[0], target=disc))
    other = moved(pair, similarity)
    wanted = similarity.points(np.array([place], np.float32))[0]
    assert other.moment.target is not None
    for picture in (other.source.photo, other.moment.target):
        rows, columns = np.nonzero(picture[..., 0] > 128)
        np.testing.assert_allclose((np.array([columns.mean(), rows.mean()]) * 2 + 1) / 512 - 1, wanted, atol=0.01)
        assert len(rows) == pytest.approx(np.pi * 6**2 * 1.2**2, rel=0.1)


def test_movements_leave_no_pixel_without_a_picture() -> None:
    rng, corners = np.random.default_rng(0), np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    for similarity in (draw_similarity(rng) for _ in range(100)):
        read = (corners - np.asarray(similarity.shift)) @ np.linalg.inv(similarity.matrix).T
        assert np.abs(read).max() <= 1 + 1e-5


def test_who_it_is_is_forgotten_and_what_it_does_is_not(head: HeadModel) -> None:
    scene = make_scene(head, 1)
    pair = forgotten(TrainingPair(scene.source, scene.moments[0]), np.random.default_rng(0))
    change = pair.moment.z - scene.moments[0].z
    assert change[:80].std() > 0.5
    assert np.array_equal(change[80:144], np.zeros(64))
    assert np.array_equal(change[251:], np.zeros(10))


def test_colours_change_everywhere_alike(head: HeadModel) -> None:
    scene = make_scene(head, 1)
    pair = recoloured(TrainingPair(scene.source, scene.moments[0]), np.array([0.5, 1.0, 1.0]), 1.0)
    assert pair.moment.target is not None
    assert scene.moments[0].target is not None
    for new, old in ((pair.source.photo, scene.source.photo), (pair.moment.target, scene.moments[0].target)):
        assert np.abs(new[..., 0].astype(float) - old[..., 0] * 0.5).max() <= 1
        assert np.array_equal(new[..., 1:], old[..., 1:])
    light, own = pair.moment.z[224:251].reshape(9, 3), scene.moments[0].z[224:251].reshape(9, 3)
    assert np.allclose(light, own * [0.5, 1, 1])


def test_windows_lie_in_the_picture_and_often_on_the_face(head: HeadModel) -> None:
    points, rng = face_points(head), np.random.default_rng(0)
    corners = np.array([draw_window(points, 512, 128, 0.6, rng) for _ in range(200)])
    assert corners.min() >= 0
    assert corners.max() <= 384
    mouth = (points[list(OUTER_LIPS)].mean(0) + 1) * 256
    shown = ((corners < mouth) & (mouth < corners + 128)).all(1).mean()
    assert shown > 0.25


def test_regions_cover_mouth_and_eyes_also_when_shut(head: HeadModel) -> None:
    points = face_points(head)
    points[list(LEFT_EYE), 1] = points[list(LEFT_EYE), 1].mean()
    mask = region_mask(points)
    for region in (OUTER_LIPS, LEFT_EYE):
        x, y = ((points[list(region)].mean(0) + 1) * 256).astype(int)
        assert mask[y - 4 : y + 5, x].all()
    assert mask.mean() < 0.1


def test_shares_must_fit(scenes: SceneFolder, head: HeadModel) -> None:
    with pytest.raises(InputError, match="share above 0"):
        GeneratorMixture(
            [scenes], [0.0], mirror_of(head), seed=0, variant=TINY_LIVE, window=TINY.window, on_components=0.6, candidates=1
        )
