"""From a face to coefficients: by landmarks, by the learned network, or by both. One interface, one switch."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, get_args

from engine.errors import ConfigError
from engine.head import HeadModel
from engine.values import Coefficients, Face, Picture, Square

RegressorName = Literal["landmarks", "network", "both", "auto"]
AUTOMATIC: RegressorName = "both"  # whichever measures best on frames that none of them saw: docs/regressor.md has the table

__all__ = ["AUTOMATIC", "Regressor", "RegressorName", "open_regressor", "resolved"]


class Regressor(Protocol):
    """Turns the faces of one person into coefficients; a context manager.

    ``image`` is the RGB frame (H, W, 3) that the face was tracked in.
    """

    def meet(self, image: Picture, face: Face, square: Square) -> None:
        """Learns what does not change of a new person."""

    def regress(self, image: Picture, face: Face, square: Square) -> Coefficients:
        """z of one frame, p relative to the camera of ``square``."""

    def close(self, timeout_s: float | None = None) -> None:
        """Frees the networks, and waits at most ``timeout_s`` for an engine that is being built; may be called again."""

    def __enter__(self) -> Regressor: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


def resolved(name: RegressorName) -> RegressorName:
    """The name itself, or what "auto" stands for."""
    return AUTOMATIC if name == "auto" else name


def open_regressor(
    name: RegressorName, head: HeadModel, engine: str = "auto", folder: Path | None = None, *, fixed: bool = False
) -> Regressor:
    """The regressor of that name; "auto" is the one that measures better. ``engine`` runs its network, exported to ``folder``;
    None is the one that ships; ``fixed`` as of ``engine.runtime.selection.EngineSelector``.

    Raises ConfigError, AssetError.
    """
    if name not in get_args(RegressorName):
        raise ConfigError(f"The regressor must be one of {', '.join(get_args(RegressorName))}, got {name!r}.")
    chosen = resolved(name)
    if chosen == "landmarks":
        from engine.regress.landmarks import LandmarkRegressor

        return LandmarkRegressor(head)
    from engine.regress.network import REGRESSOR, NetworkRegressor  # here, because it loads an inference runtime

    network = NetworkRegressor(head, folder or REGRESSOR, engine, fixed=fixed)
    if chosen == "network":
        return network
    from engine.regress.joint import JointRegressor

    try:
        return JointRegressor(head, network)
    except BaseException:
        network.close()
        raise
