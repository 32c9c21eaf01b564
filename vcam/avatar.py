"""An avatar: one photograph, ready to be animated and set into its surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.values import Coefficients
from vcam.compose import Composer
from vcam.files import named_path

BUNDLED_PORTRAIT = Path(__file__).parents[1] / "engine" / "assets" / "portrait.jpg"


@dataclass(frozen=True)
class Avatar:
    """``source`` is what the animator prepared, ``coefficients`` z_s, ``notes`` sentences about the photograph for the user."""

    name: str
    source: Any
    coefficients: Coefficients
    composer: Composer
    notes: tuple[str, ...] = ()


def photo_path(photo: str, config_path: Path | None) -> Path:
    """The photograph that a setting names: "" is the bundled one."""
    return named_path(photo, config_path) if photo else BUNDLED_PORTRAIT
