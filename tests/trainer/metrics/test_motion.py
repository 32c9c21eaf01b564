"""The measures are the paper's, and what they do not show."""

from __future__ import annotations

import numpy as np
import pytest

from engine.head import HeadModel, load_head
from engine.values import Coefficients
from tests.trainer.regressor.conftest import make_example
from trainer.metrics.motion import blink_counts, correlations, errors, jitter, lag


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_head()


def vectors(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.zeros((count, 261), np.float32)


def test_the_papers_measures_are_euclidean_distances(head: HeadModel) -> None:
    true = Coefficients.from_vector(make_example(head, 1).z)
    assert set(errors(head, true, true).values()) == {0.0}
    moved = true.vector()
    moved[80:82] += (0.3, 0.4)
    moved[251:253] += (0.03, 0.04)
    moved[257] += 0.2
    found = errors(head, Coefficients.from_vector(moved), true)
    assert (found["Exp"], found["Angle"], found["Gaze"]) == pytest.approx((0.5, 0.05, 0.2), abs=1e-5)
    assert found["landmarks_percent"] > 0
    assert found["vertices_mm"] > 0


def test_a_shift_in_space_is_no_vertex_error(head: HeadModel) -> None:
    true = Coefficients.from_vector(make_example(head, 1).z)
    moved = true.vector()
    moved[254:257] += 0.1
    assert errors(head, Coefficients.from_vector(moved), true)["vertices_mm"] == pytest.approx(0, abs=1e-3)


def test_blinks_are_counted_an_eye_at_a_time() -> None:
    true, found = vectors(4), vectors(4)
    true[:2, 88] = 1
    found[0, 88] = found[3, 89] = 0.9
    assert blink_counts(found, true) == {"blink_precision": 0.5, "blink_recall": 0.5}
    assert blink_counts(vectors(2), vectors(2)) == {"blink_precision": 1.0, "blink_recall": 1.0}


def test_jitter_is_the_step_between_frames() -> None:
    z = vectors(5)
    z[::2, 252] = 0.02
    assert jitter(z) == pytest.approx({"jitter_Exp": 0, "jitter_Angle": 0.02, "jitter_Gaze": 0})


def test_correlation_of_a_curve_that_never_moves_is_zero() -> None:
    ramp, flat = np.arange(5, dtype=np.float32), np.ones(5, np.float32)
    assert correlations({"a": -ramp, "b": ramp}, {"a": ramp, "b": flat}) == pytest.approx({"a": -1, "b": 0})


@pytest.mark.parametrize("late", [-3, 0, 2])
def test_the_lag_is_where_two_curves_agree_best(late: int) -> None:
    curve = np.random.default_rng(0).standard_normal(40).astype(np.float32).cumsum()
    assert lag(np.roll(curve, late)[5:-5], curve[5:-5], 4) == late


def test_a_curve_that_never_moves_has_no_lag() -> None:
    assert lag(np.ones(9, np.float32), np.arange(9, dtype=np.float32), 4) == 0
    assert lag(np.arange(2, dtype=np.float32), np.arange(2, dtype=np.float32), 4) == 0
