"""An avatar: one photograph, ready to be animated and set into its surroundings."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.values import Coefficients
from vcam.avatars.compose import Composer
from vcam.avatars.cutout import Cutout
from vcam.files import named_path

BUNDLED_PORTRAIT = Path(__file__).parents[2] / "engine" / "assets" / "portrait.jpg"
_IDS = itertools.count(1)


@dataclass(frozen=True)
class Avatar:
    """A prepared photograph.

    name          the photograph's path
    source        what the animator prepared
    coefficients  z_s
    composer      sets the animated square into the rest of the photograph
    notes         sentences about the photograph for the user
    cutout        cuts the person out, for other backgrounds; slow the first time. None where that cannot be done
    id            of this preparation; later ones have larger ids
    refine        makes a better ``source``, which is at rest the same; takes seconds. None: there is none
    """

    name: str
    source: Any
    coefficients: Coefficients
    composer: Composer
    notes: tuple[str, ...] = ()
    cutout: Callable[[], Cutout] | None = None
    id: int = field(default_factory=lambda: next(_IDS))
    refine: Callable[[], Any] | None = None


def photo_path(photo: str, config_path: Path | None) -> Path:
    """The photograph that a setting names: "" is the bundled one."""
    return named_path(photo, config_path) if photo else BUNDLED_PORTRAIT
