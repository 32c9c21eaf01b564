"""The person of a portrait in another picture: the same head, another expression, pose and gaze."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.regress.landmarks import LandmarkBasis, fit_frame
from engine.regress.portrait import Fit
from engine.values import Coefficients, Face, Floats, Square

LEAST, MOST = -0.5, 1.6  # β of one's own face in another picture: scores end at 0 and 1, faces do not
MOST_GAZE = 0.7  # of τ


class SamePerson:
    """Follows the person of a portrait through other square pictures of the same size."""

    def __init__(self, fit: Fit, face: Face) -> None:
        """The head fitted to the portrait, and the face in it."""
        width, height = face.size
        self._square = Square(width / 2, height / 2, width)
        self._fit, self._basis = fit, LandmarkBasis.of(fit.head.model)
        self._rest = np.asarray(fit.head.model.landmarks(fit.head.rest), np.float32)
        self._as_seen = self._look(face)

    def coefficients(self, face: Face) -> Coefficients:
        """z of the same person where they have this face.

        Both faces are fitted alike and only the difference is applied, so that the portrait's own face gives z_s exactly.
        """
        (beta, pose, gaze), (own_beta, own_pose, own_gaze) = self._look(face), self._as_seen
        own = self._fit.coefficients
        return replace(
            own,
            expression=np.clip(own.expression + beta - own_beta, LEAST, MOST),
            pose=own.pose + pose - own_pose,
            gaze=np.clip(own.gaze + gaze - own_gaze, -MOST_GAZE, MOST_GAZE),
        )

    def _look(self, face: Face) -> tuple[Floats, Floats, Floats]:
        return fit_frame(self._basis, self._rest, self._fit.head.eye_centres, face, self._square, steps=4)
