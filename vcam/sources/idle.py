"""Nobody drives: the avatar breathes and blinks by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcam.sources.coefficients import CoefficientSource

if TYPE_CHECKING:
    from vcam.build import Builder


def open_source(builder: Builder, argument: str) -> CoefficientSource:
    """Neither settings nor an argument matter."""
    del builder, argument
    return CoefficientSource("idle")
