"""Where a backbone hands features on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tap:
    """Features of so many channels, one for every ``stride`` pixels of the picture."""

    channels: int
    stride: int
