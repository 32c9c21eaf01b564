"""The head with its hair as a volume: it turns as one, and nothing shows through it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from engine.animator import Animator, PreparedPortrait
from engine.conventions import angles, pixel_grid
from engine.portrait import Portrait
from engine.sampling import sample
from engine.track.mediapipe_models import Landmarker
from engine.track.tracker import MODEL
from engine.values import Coefficients, Mask, Picture

Subject = tuple[Portrait, PreparedPortrait]


@pytest.fixture(params=["mona", "hopper"])
def subject(request: pytest.FixtureRequest) -> Subject:
    return request.getfixturevalue(request.param), request.getfixturevalue(f"{request.param}_source")


def turned(prepared: PreparedPortrait, yaw_rad: float) -> Coefficients:
    z = prepared.coefficients
    return replace(z, pose=z.pose + np.array([0, yaw_rad, 0, 0, 0, 0], np.float32))


def person_in(subject: Subject, yaw_rad: float) -> Mask:
    """(512, 512) where the picture of a turned head shows the person."""
    portrait, prepared = subject
    flow = prepared.geometry.prior(turned(prepared, yaw_rad)).flow
    return np.asarray(sample(portrait.matte[..., None], pixel_grid(512) + flow)[..., 0] > 0.5)


def test_a_turn_is_seen_as_one(animator: Animator, hopper_source: PreparedPortrait, hopper: Portrait) -> None:
    """A tracker reads most of the angle off the picture: with hair and ears on a flat sheet it read half of it."""
    animator.use(hopper_source)
    with Landmarker("picture", MODEL) as landmarker:

        def yaw_of(picture: Picture) -> float:
            found = landmarker.find_posed(picture)
            assert found is not None
            return float(angles(found[1])[1])

        at_rest = yaw_of(hopper.crop)
        seen = [
            (yaw_of(animator.animate(turned(hopper_source, yaw), corrections="none")) - at_rest) / yaw for yaw in (-0.35, 0.35)
        ]
    assert np.mean(seen) > 0.65


@pytest.mark.parametrize("yaw_rad", [-0.35, 0.35])
def test_nothing_shows_through_a_turned_head(subject: Subject, yaw_rad: float) -> None:
    rows = int(subject[0].face.landmarks[:, 1].max())
    assert holes_in(person_in(subject, yaw_rad)[:rows]) < holes_in(person_in(subject, 0)[:rows]) + 60


def holes_in(person: Mask) -> int:
    """Pixels of what is around the person on all sides; of a matte there may be some between strands of hair."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~person).astype(np.uint8), connectivity=4)
    border = set(np.concatenate([labels[0], labels[:, 0], labels[:, -1], labels[-1]]).tolist())
    return sum(int(stats[k, cv2.CC_STAT_AREA]) for k in range(1, len(stats)) if k not in border)


def test_the_turn_is_smooth(subject: Subject) -> None:
    """Half a degree on, few pixels show the person that did not, or the other way round: layers do not pop."""
    areas = [person_in(subject, yaw) for yaw in np.radians(np.arange(-25, -20, 0.5))]
    changes = [np.count_nonzero(a != b) for a, b in pairwise(areas)]
    assert max(changes) < 3 * np.median(changes) + 50
