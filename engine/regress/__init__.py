"""From a face to coefficients: by landmarks, by the learned network, or by both. One interface, one switch."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol, get_args

from engine.errors import ConfigError
from engine.head import HeadModel
from engine.values import Coefficients, Face, Square

RegressorName = Literal["landmarks", "network", "both", "auto"]
AUTOMATIC: RegressorName = "both"  # whichever measures best on frames that none of them saw: docs/regressor.md has the table

__all__ = ["AUTOMATIC", "Regressor", "RegressorName", "open_regressor", "resolved"]


class Regressor(Protocol):
    """What turns the faces of one person into coefficients."""

    def meet(self, face: Face, square: Square) -> None:
        """Looks at a new person."""

    def regress(self, face: Face, square: Square) -> Coefficients:
        """z of one frame, p relative to the camera of ``square``."""


def resolved(name: RegressorName) -> RegressorName:
    """The name itself, or what "auto" stands for."""
    return AUTOMATIC if name == "auto" else name


def open_regressor(name: RegressorName, head: HeadModel, engine: str = "auto", folder: Path | None = None) -> Regressor:
    """The regressor of that name; "auto" is the one that measures better. ``engine`` runs its network, exported to ``folder``;
    None is the one that ships.

    Raises ConfigError, AssetError.
    """
    if name not in get_args(RegressorName):
        raise ConfigError(f"The regressor must be one of {', '.join(get_args(RegressorName))}, got {name!r}.")
    chosen = resolved(name)
    if chosen == "landmarks":
        from engine.regress.landmarks import LandmarkRegressor

        return LandmarkRegressor(head)
    from engine.regress.network import REGRESSOR, NetworkRegressor  # here, because it loads an inference runtime

    network = NetworkRegressor(head, folder or REGRESSOR, engine)
    if chosen == "network":
        return network
    from engine.regress.joint import JointRegressor

    return JointRegressor(head, network)
