"""An avatar: one photograph, ready to be animated and set into its surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.values import Coefficients
from vcam.compose import Composer

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
    """The photograph that a setting names: "" is the bundled one, a relative path starts at the config file's folder."""
    if not photo:
        return BUNDLED_PORTRAIT
    base = config_path.parent if config_path else Path()
    return base / Path(photo).expanduser()
