"""Intervals are over people, not over pictures."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.metrics.intervals import mean_over_people, ratio_over_people


def test_pictures_of_one_person_do_not_count_as_many() -> None:
    rng = np.random.default_rng(0)
    of_people = rng.normal(5, 1, 30)
    few = mean_over_people(of_people, range(30))
    many = mean_over_people(np.repeat(of_people, 50), np.repeat(np.arange(30), 50))
    assert (many.value, many.low, many.high) == pytest.approx((few.value, few.low, few.high))
    assert few.low < few.value < few.high
    assert few.high - few.low == pytest.approx(2 * 1.96 * of_people.std() / np.sqrt(30), rel=0.15)


def test_a_person_with_more_pictures_weighs_no_more() -> None:
    values, person = np.array([1.0, 1, 1, 1, 3]), [0, 0, 0, 0, 1]
    assert mean_over_people(values, person).value == 2


def test_what_was_not_measured_is_left_out() -> None:
    found = mean_over_people(np.array([1.0, np.nan, np.nan, 3]), ["a", "a", "b", "c"])
    assert found.value == 2
    assert np.isfinite([found.low, found.high]).all()


def test_a_ratio_is_of_the_same_pictures() -> None:
    """People differ tenfold, the ratio hardly."""
    theirs = np.repeat(10.0 ** np.arange(-1, 2), 4)
    ours = theirs * np.tile([0.7, 0.8, 0.8, 0.9], 3)
    found = ratio_over_people(ours, theirs, np.repeat(np.arange(3), 4))
    assert (found.value, found.low, found.high) == pytest.approx((0.8, 0.8, 0.8))
    assert str(found) == "0.8 (0.8 … 0.8)"
