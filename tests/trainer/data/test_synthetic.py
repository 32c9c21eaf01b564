"""Synthetic heads: exact, varied, reproducible."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.conventions import place, project
from engine.head import load_head
from engine.values import EXPRESSION_NAMES, Coefficients
from trainer.data.synthetic import MaskLabel, Sample, SyntheticHeads
from trainer.data.synthetic.files import RenderJob, synthesise_files
from trainer.data.synthetic.head_state import MAX_PITCH_RAD, MAX_ROLL_RAD, MAX_YAW_RAD, draw_head_state
from trainer.data.synthetic.light import draw_light

SIZE = 96


@pytest.fixture(scope="module")
def heads() -> SyntheticHeads:
    return SyntheticHeads(SIZE, seed=3)


@pytest.fixture(scope="module")
def samples(heads: SyntheticHeads) -> list[Sample]:
    return [heads.sample(index) for index in range(12)]


def test_a_sample_depends_on_seed_and_index_alone(heads: SyntheticHeads, samples: list[Sample]) -> None:
    again = SyntheticHeads(SIZE, seed=3).sample(7)
    other = SyntheticHeads(SIZE, seed=4).sample(7)

    assert np.array_equal(again.image, samples[7].image)
    assert np.array_equal(again.z, samples[7].z)
    assert np.array_equal(again.mask, samples[7].mask)
    assert again.person == samples[7].person
    assert not np.array_equal(other.z, samples[7].z)


def test_landmarks_are_the_projection_of_z(samples: list[Sample]) -> None:
    head = load_head()
    for sample in samples[:4]:
        z = Coefficients.from_vector(sample.z)
        points = project(place(head.landmarks(head.shape(z.identity, z.expression, z.gaze)), z.pose))

        assert np.abs((points[:, :2] + 1) * SIZE / 2 - sample.landmarks).max() < 0.02


def test_the_mask_is_where_the_picture_shows_the_head(samples: list[Sample]) -> None:
    for sample in samples:
        assert sample.image.shape == (SIZE, SIZE, 3)
        assert sample.image.dtype == np.uint8
        assert sample.mask.shape == (SIZE, SIZE)
        on_face = np.isin(
            sample.mask, [MaskLabel.SKIN, MaskLabel.EYES, MaskLabel.MOUTH, MaskLabel.HAIR, MaskLabel.GLASSES, MaskLabel.HEADWEAR]
        )
        inside = np.clip(sample.landmarks.astype(int), 0, SIZE - 1)
        assert on_face[inside[:, 1], inside[:, 0]].mean() > 0.9
        assert (sample.mask == MaskLabel.BACKGROUND).any()
        assert (sample.mask == MaskLabel.BODY).any()


def test_train_and_test_people_are_disjoint() -> None:
    train = [SyntheticHeads(32, seed)._draw_person(np.random.default_rng(seed)) for seed in range(40)]
    test = [SyntheticHeads(32, seed, split="test")._draw_person(np.random.default_rng(seed)) for seed in range(40)]

    assert max(test) < min(train)


def test_a_person_is_the_same_under_every_seed() -> None:
    one, other = (SyntheticHeads(64, seed, people=1).sample(0) for seed in (1, 2))
    a, b = (Coefficients.from_vector(sample.z) for sample in (one, other))

    assert one.person == other.person
    assert np.array_equal(a.identity, b.identity)
    assert np.array_equal(a.texture, b.texture)
    assert not np.array_equal(a.expression, b.expression)


def test_a_pair_shows_one_person_in_one_light(heads: SyntheticHeads) -> None:
    first, second = heads.pair(5)
    a, b = (Coefficients.from_vector(sample.z) for sample in (first, second))

    assert first.person == second.person
    assert np.array_equal(a.illumination, b.illumination)
    assert not np.array_equal(a.pose, b.pose)
    background = (first.mask == MaskLabel.BACKGROUND) & (second.mask == MaskLabel.BACKGROUND)
    difference = np.abs(first.image.astype(float) - second.image)[background].mean()
    assert difference < 45  # the same room, developed differently


def test_the_source_map_leads_back_to_the_same_surface(heads: SyntheticHeads) -> None:
    for index in range(4):
        pair = heads.mapped_pair(index)
        pixel = np.clip(pair.driving.landmarks.astype(int), 0, SIZE - 1)
        flow = pair.flow[pixel[:, 1], pixel[:, 0]] * (SIZE / 2)
        centre = pixel + 0.5
        away = np.linalg.norm(centre + flow - pair.source.landmarks - (centre - pair.driving.landmarks), axis=1)

        assert np.median(away) < 1.5  # hidden landmarks have another surface before them
        assert pair.visible.mean() > 0.2
        assert np.array_equal(pair.driving.image, heads.pair(index)[1].image)


def test_moments_cover_the_wanted_range_and_stay_in_it() -> None:
    moments = [draw_head_state(np.random.default_rng(seed)) for seed in range(600)]
    turns = np.abs([moment.turn for moment in moments])
    blinks = np.array(
        [moment.expression[[EXPRESSION_NAMES.index(f"eyeBlink{s}") for s in ("Left", "Right")]] for moment in moments]
    )
    beta = np.array([moment.expression[:52] for moment in moments])

    assert (turns <= [MAX_PITCH_RAD, MAX_YAW_RAD, MAX_ROLL_RAD]).all()
    assert (turns.max(0) > np.deg2rad([28, 55, 28])).all()
    assert beta.min() >= 0
    assert beta.max() <= 1
    assert (blinks.min(1) > 0.85).mean() > 0.08  # closed
    assert ((blinks > 0.2) & (blinks < 0.8)).all(1).mean() > 0.05  # half closed
    assert (np.abs(blinks[:, 0] - blinks[:, 1]) > 0.3).mean() > 0.02  # winks
    assert (beta[:, EXPRESSION_NAMES.index("jawOpen")] > 0.7).mean() > 0.02  # wide open
    assert (beta[:, EXPRESSION_NAMES.index("jawOpen")] < 0.05).mean() > 0.2
    assert (np.diff([moment.gaze[[0, 2]] for moment in moments]) > -0.01 - 0.12).all()  # eyes never look apart much


def test_light_has_the_wanted_brightness_and_its_lamp_is_part_of_it() -> None:
    for seed in range(30):
        light = draw_light(np.random.default_rng(seed))

        assert np.isfinite(light.illumination).all()
        assert 0.1 < light.illumination[:3].mean() < 2.0
        assert (light.key_illumination[:3] <= light.illumination[:3] + 1e-5).all()


def test_files_continue_after_an_interruption(tmp_path: Path) -> None:
    order = RenderJob(str(tmp_path), 3, 64, 1, "train", None)
    made: list[int] = []
    synthesise_files(order, 1, made.append)
    written = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "images").iterdir()}
    synthesise_files(order, 1, made.append)

    assert made == [3, 3]
    assert sorted(written) == ["00000000.jpg", "00000001.jpg", "00000002.jpg"]
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "images").iterdir()} == written
    with np.load(tmp_path / "labels" / "00000000.npz", allow_pickle=False) as labels:
        expected = SyntheticHeads(64, 1).sample(2)
        assert np.array_equal(labels["z"][2], expected.z)
        assert labels["person"][2] == expected.person
