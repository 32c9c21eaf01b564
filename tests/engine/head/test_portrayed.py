"""The shapes that move a photograph: stronger where the head's are weak, and gentle where brows end."""

from __future__ import annotations

import numpy as np
import pytest

from engine.head import load_head
from engine.head.portrayed import EASED, GAIN, as_portrayed
from engine.values import EXPRESSION_NAMES, Floats


def shape(basis: Floats, name: str) -> Floats:
    return np.asarray(basis[EXPRESSION_NAMES.index(name)])


@pytest.mark.parametrize("name", EASED)
def test_a_brow_moves_as_much_as_wanted_and_ends_more_gently(name: str) -> None:
    head = load_head()
    before, after = shape(head.expression_basis, name), shape(as_portrayed(head).expression_basis, name)
    size = np.linalg.norm(before, axis=1)
    strongest = np.argsort(size)[-40:]
    along = (after[strongest] * before[strongest]).sum() / (before[strongest] ** 2).sum()
    assert along == pytest.approx(GAIN.get(name, 1.0), rel=0.08)
    one, other = head.triangles[:, 0], head.triangles[:, 1]
    steepest = [np.linalg.norm(field[one] - field[other], axis=1).max() for field in (before, after / GAIN.get(name, 1.0))]
    assert steepest[1] < steepest[0]


def test_other_shapes_and_the_eyeballs_stay() -> None:
    head = load_head()
    portrayed = as_portrayed(head)
    others = [i for i, name in enumerate(EXPRESSION_NAMES) if name not in {*EASED, *GAIN}]
    np.testing.assert_array_equal(portrayed.expression_basis[others], head.expression_basis[others])
    assert not portrayed.expression_basis[:, np.concatenate(head.eyeballs)].any()
    assert portrayed is as_portrayed(head)
