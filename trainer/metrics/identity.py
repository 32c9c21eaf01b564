"""Identity similarity over pairs, sorted: figure 6."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.values import Floats


def sorted_similarities(found: Mapping[str, Floats], by: str) -> dict[str, Floats]:
    """Method → (N,) cosines of the same N pairs, all in the order in which those of ``by`` rise."""
    order = np.argsort(found[by], kind="stable")
    return {name: values[order] for name, values in found.items()}


def share_above(ours: Floats, theirs: Floats) -> float:
    """In how large a part of the pairs ours is the more similar, 0…1."""
    return float((ours > theirs).mean())
