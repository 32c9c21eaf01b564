"""How far a network is to be believed: found where it is known."""

from __future__ import annotations

import numpy as np
import pytest

from engine.head import HeadModel, load_head
from engine.regress.joint import joined
from engine.values import ANGLES, BETA, TAU
from trainer.data.mirror import Mirror, mirror_of
from trainer.regressor.export import fit_share


@pytest.fixture(scope="module")
def mirror() -> Mirror:
    head: HeadModel = load_head()
    return mirror_of(head)


def test_the_better_is_believed_and_an_equal_is_not(mirror: Mirror) -> None:
    """With mistakes of a quarter, of equal size, and of four times the landmarks' the least squares give 0.94, 0.5, 0.06."""
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 1, (4000, 261)).astype(np.float32)
    landmarks = truth + rng.normal(0, 0.2, truth.shape).astype(np.float32)
    for ratio, wanted in ((0.25, 0.88), (1.0, 0.0), (4.0, 0.0)):
        network = truth + rng.normal(0, 0.2 * ratio, truth.shape).astype(np.float32)
        share = fit_share(landmarks, network, truth, mirror)
        for group in (BETA, ANGLES, TAU):
            np.testing.assert_allclose(share[group], wanted, atol=0.06)
        both = joined(landmarks, network, share)
        mistakes = [float(np.abs((found - truth)[:, BETA]).mean()) for found in (landmarks, network, both)]
        assert mistakes[2] <= mistakes[0]


def test_identity_texture_light_and_place_stay_the_landmarks(mirror: Mirror) -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(0, 1, (50, 261)).astype(np.float32)
    share = fit_share(truth + 1, truth, truth, mirror)
    assert not share[:80].any()
    assert not share[144:251].any()
    assert not share[254:257].any()
    assert share[80:144].min() == 1


def test_left_and_right_are_believed_alike(mirror: Mirror) -> None:
    """A network that is right about one eye is believed as far as both eyes together deserve."""
    rng = np.random.default_rng(2)
    truth = rng.normal(0, 1, (4000, 261)).astype(np.float32)
    landmarks = truth + rng.normal(0, 0.3, truth.shape).astype(np.float32)
    network = truth.copy()
    for right in (89, 259):  # the right eye's blink and its look sideways
        network[:, right] = landmarks[:, right] + rng.normal(0, 0.15, len(truth))
    share = fit_share(landmarks, network, truth, mirror)
    # of both: 0.3² of 0.3² + 0.15², of which twice less one counts
    assert share[88] == share[89] == pytest.approx(2 * 0.09 / (0.09 + 0.0225) - 1, abs=0.03)
    assert share[257] == share[259] == pytest.approx(2 * 0.09 / (0.09 + 0.0225) - 1, abs=0.03)
