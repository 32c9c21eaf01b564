"""Both regressors together: what the landmarks say, moved toward what the network sees as far as that is to be believed.

Their mistakes differ. The tracker's points and scores place smiles and sideways looks; the network knows how far lids are shut.
The shares belong to the network's weights and lie in its manifest;
docs/regressor.md tells how they are found.
"""

from __future__ import annotations

import numpy as np

from engine.head import HeadModel
from engine.regress.landmarks import LandmarkRegressor
from engine.regress.network import NetworkRegressor
from engine.resource import Resource
from engine.values import BETA, BLINKS, COEFFICIENTS, EXPRESSION_NAMES, Coefficients, Face, Floats, Picture, Square

EVERY = 2  # frames between two looks of the network, for a frame of it costs six of the landmarks
# The network has no say in these: on four clips the landmarks follow the tracker's scores with slopes of 0.92 to 1.15, a share of
# the network's makes that 0.47 to 0.87, and a smile with teeth becomes one with closed lips.
LIPS_APART = [BETA.start + i for i, name in enumerate(EXPRESSION_NAMES) if name.startswith(("mouthUpperUp", "mouthLowerDown"))]
LIDS_MOVE = 0.15  # of a blink's score: then the network looks at once, for a blink is over in a few frames


class JointRegressor(Resource):
    """z of a frame by both; the interface of ``engine.regress.Regressor``. The identity is the landmarks', fitted on ``meet``.

    The landmarks are fitted to every frame, the network looks at every second one and whenever lids move; between, its last
    difference stays. The network is taken over, and closed.
    """

    def __init__(self, head: HeadModel, network: NetworkRegressor) -> None:
        self._landmarks, self._network = LandmarkRegressor(head), network
        self._share = network.share.copy()
        self._share[LIPS_APART] = 0
        self._difference: Floats = np.zeros(COEFFICIENTS, np.float32)
        self._lids: Floats = np.zeros(2, np.float32)
        self._frames = 0

    def meet(self, image: Picture, face: Face, square: Square) -> None:
        """Fits the identity to a new face."""
        self._landmarks.meet(image, face, square)
        self._network.meet(image, face, square)
        self._frames = 0

    def regress(self, image: Picture, face: Face, square: Square) -> Coefficients:
        """z of a frame, see ``engine.regress.Regressor``."""
        found = self._landmarks.regress(image, face, square).vector()
        lids = face.blendshapes[BLINKS]
        if self._frames % EVERY == 0 or np.abs(lids - self._lids).max() > LIDS_MOVE:
            self._difference = self._network.regress(image, face, square).vector() - found
            self._lids, self._frames = lids, 0
        self._frames += 1
        return Coefficients.from_vector(joined(found, found + self._difference, self._share))

    def close(self, timeout_s: float | None = None) -> None:
        """See ``engine.regress.Regressor``."""
        self._network.close(timeout_s)


def joined(landmarks: Floats, network: Floats, share: Floats) -> Floats:
    """(…, 261) z of both; ``share`` (261,) 0 = the landmarks', 1 = the network's."""
    return np.asarray(landmarks + share * (network - landmarks), np.float32)
