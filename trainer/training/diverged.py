"""What every training does when its loss is no number any more."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from engine.errors import HifiHeadError


class DivergedError(HifiHeadError):
    """The loss is no number any more."""


def diverged(images: int, names: Sequence[str], terms: Mapping[str, float]) -> DivergedError:
    """The error for a step after ``images`` on the examples ``names``, whose terms are given."""
    wrong = [name for name, value in terms.items() if not math.isfinite(value)]
    return DivergedError(
        f"The loss is not finite after {images} images (terms: {', '.join(wrong) or 'the gradient'}; "
        f"examples: {', '.join(names[:4])}, …). The last checkpoint is kept: lower the rate or look at these examples."
    )
