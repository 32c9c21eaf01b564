"""Both regressors together: what the landmarks say, moved toward what the network sees as far as that is to be believed.

Their mistakes differ. The tracker's points and scores place smiles and sideways looks; the network knows how far lids are shut,
what brows do, and how far eyes look down. The shares belong to the network's weights and lie in its manifest;
docs/regressor.md tells how they are found.
"""

from __future__ import annotations

import numpy as np

from engine.head import HeadModel
from engine.regress.landmarks import LandmarkRegressor
from engine.regress.network import NetworkRegressor
from engine.values import Coefficients, Face, Floats, Square


class JointRegressor:
    """z of a frame by both; the interface of ``engine.regress.Regressor``. The identity is the landmarks', fitted on ``meet``."""

    def __init__(self, head: HeadModel, network: NetworkRegressor) -> None:
        self._landmarks, self._network = LandmarkRegressor(head), network

    def meet(self, face: Face, square: Square) -> None:
        """Fits the identity to a new face."""
        self._landmarks.meet(face, square)
        self._network.meet(face, square)

    def regress(self, face: Face, square: Square) -> Coefficients:
        """z of a frame. Raises ValueError when the face comes without its picture."""
        found, seen = (one.regress(face, square).vector() for one in (self._landmarks, self._network))
        return Coefficients.from_vector(joined(found, seen, self._network.share))


def joined(landmarks: Floats, network: Floats, share: Floats) -> Floats:
    """(…, 261) z of both; ``share`` (261,) 0 = the landmarks', 1 = the network's."""
    return np.asarray(landmarks + share * (network - landmarks), np.float32)
