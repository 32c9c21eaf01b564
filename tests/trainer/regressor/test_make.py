"""Examples are tight crops whose labels belong to them, whatever they were made of."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.conventions import place, project
from engine.errors import ConfigError, InputError
from engine.head import HeadModel
from engine.track import Tracker
from engine.values import Coefficients, Square
from tests.trainer.regressor.conftest import make_example
from trainer.command_line import parse_set
from trainer.data.shards import Crop
from trainer.data.synthetic import Sample
from trainer.regressor.commands import examples
from trainer.regressor.examples import STORED_PX, Example
from trainer.regressor.make import (
    BY_LANDMARKS,
    animated_portraits,
    from_crops,
    from_synthetic,
    jittered,
    random_animation,
)

PORTRAIT = Path(__file__).parents[3] / "engine" / "assets" / "portrait.jpg"


def assert_labels_fit(head: HeadModel, example: Example) -> None:
    z = Coefficients.from_vector(example.z)
    seen = project(place(head.landmarks(head.shape(z.identity, z.expression, z.gaze)), z.pose))[:468, :2]
    np.testing.assert_allclose(seen, example.landmarks[:468], atol=0.03)
    assert example.image.shape == (STORED_PX, STORED_PX, 3)
    assert 1.0 < np.ptp(example.landmarks[:468], axis=0).max() < 1.8  # the face fills the crop


def test_a_synthetic_head_becomes_a_tight_crop(head: HeadModel) -> None:
    base = make_example(head, 4, 128)
    sample = Sample(base.image, base.z, np.zeros((128, 128), np.uint8), (base.landmarks + 1) * 64, 7)
    (example,) = from_synthetic(head, [sample], seed=0)
    assert_labels_fit(head, example)
    assert (example.person, example.trust.tolist()) == (7, [1] * 6)


def test_a_prepared_crop_gives_two_examples_of_less_trust(head: HeadModel) -> None:
    base = make_example(head, 4, 128)
    crop = Crop(base.image, base.z, (base.landmarks + 1) * 64, 1.0, 3, 0, 0.0, "a.mp4")
    first, second = from_crops(head, [crop], seed=0)
    for example in (first, second):
        assert_labels_fit(head, example)
        np.testing.assert_array_equal(example.trust, BY_LANDMARKS)
    assert not np.array_equal(first.image, second.image)


def test_a_moved_portrait_stays_who_it_is(head: HeadModel) -> None:
    own = Coefficients.from_vector(make_example(head, 1).z)
    z = random_animation(own, np.random.default_rng(0))
    np.testing.assert_array_equal(z.identity, own.identity)
    np.testing.assert_array_equal(z.texture, own.texture)
    assert z.expression[:52].min() >= 0
    assert z.expression[:52].max() <= 1


def test_jitter_is_small_and_repeatable() -> None:
    square = Square(100.0, 50.0, 200.0)
    moved = [jittered(square, np.random.default_rng(1)) for _ in range(2)]
    assert moved[0] == moved[1]
    assert abs(moved[0].centre_x_px - 100) < 30
    assert 0.75 < moved[0].side_px / 200 < 1.3


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("sets/a", ("sets/a", 1.0)),
        ("sets/a:0.25", ("sets/a", 0.25)),
        (r"C:\sets\a", (r"C:\sets\a", 1.0)),
        ("c:/a", ("c:/a", 1.0)),
    ],
)
def test_a_set_may_have_a_share(text: str, wanted: tuple[str, float]) -> None:
    assert parse_set(text) == (Path(wanted[0]), wanted[1])


def test_a_share_that_is_no_number_is_refused() -> None:
    with pytest.raises(ConfigError, match="number as share"):
        parse_set("sets/a:half")


def test_examples_of_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Nothing to make examples of"):
        examples(tmp_path, synthetic=0, shards=None, portrait=None)


def test_an_animated_portrait_shows_what_its_z_says(head: HeadModel) -> None:
    """The tracker's landmarks in the picture lie where z puts the head's, and other moments are other pictures."""
    first, second = animated_portraits([PORTRAIT], 2, seed=3, say=print)
    assert np.abs(first.image.astype(int) - second.image).mean() > 1
    with Tracker("picture") as tracker:
        (face,) = tracker.find_all(first.image)
    z = Coefficients.from_vector(first.z)
    wanted = project(place(head.landmarks(head.shape(z.identity, z.expression, z.gaze)), z.pose))[:468, :2]
    seen = (face.landmarks[:468, :2] / 256 - 1).astype(np.float32)
    assert np.linalg.norm(seen - wanted, axis=1).mean() < 0.03


def test_a_portrait_without_a_face_is_named_and_left_out(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "sky.png"), np.full((300, 300, 3), 200, np.uint8))
    said: list[str] = []
    found = list(animated_portraits([tmp_path / "sky.png", PORTRAIT], 1, seed=0, say=said.append))
    assert [one.person for one in found] == [1]
    assert "sky.png" in said[0]
