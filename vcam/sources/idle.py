"""Nobody drives: the avatar breathes and blinks by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcam.motion import Priority
from vcam.sources.coefficients import CoefficientSource

if TYPE_CHECKING:
    from vcam.build import Builder


def open_source(builder: Builder, argument: str) -> CoefficientSource:
    """Neither settings nor an argument matter."""
    del builder, argument
    return IdleSource("idle")


class IdleSource(CoefficientSource):
    """Observes nobody."""

    priority = Priority.IDLE
