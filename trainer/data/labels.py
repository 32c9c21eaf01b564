"""The geometry's own coefficients for pictures of a person: pseudo-labels, as good as the landmark fit is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.conventions import place, project
from engine.head import HeadModel
from engine.regress.landmarks import LandmarkBasis, fit_frame, observed
from engine.regress.portrait import fit_portrait
from engine.values import EXPRESSION, LANDMARKS, Coefficients, Face, Floats, Picture, Square
from trainer.data.shards import CROP_PX

FITTED_FRAMES = 4  # of a clip, from which the person's shape, skin and light are taken
_SQUARE = Square(CROP_PX / 2, CROP_PX / 2, CROP_PX)


class Labeller:
    """Finds z in crops; one object serves one thread."""

    def __init__(self, head: HeadModel) -> None:
        self._head = head
        self._basis = LandmarkBasis.of(head)

    def label(self, crops: Sequence[Picture], faces: Sequence[Face]) -> list[tuple[Floats, float]]:
        """z (261,) and the misfit [px] for every crop (512, 512, 3) of one clip: one person in one light.

        Shape, skin and light are the mean over those frames that look most toward the camera.
        """
        order = sorted(range(len(faces)), key=lambda i: (_turned_away(faces[i]), i))[:FITTED_FRAMES]
        fits = [fit_portrait(self._head, faces[i], crops[i]).coefficients for i in order]
        person = Coefficients.from_vector(np.mean([fit.vector() for fit in fits], 0).astype(np.float32))
        rest = self._basis.shape(person.identity, np.zeros(EXPRESSION, np.float32))
        eyes = self._basis.eye_centres + np.tensordot(person.identity, self._basis.eye_identity, 1)
        return [self._frame(person, rest, eyes, face) for face in faces]

    def _frame(self, person: Coefficients, rest: Floats, eyes: Floats, face: Face) -> tuple[Floats, float]:
        beta, pose, gaze = fit_frame(self._basis, rest, eyes, face, _SQUARE)
        z = Coefficients(person.identity, beta, person.texture, person.illumination, pose, gaze)
        seen = observed(face, _SQUARE)
        found = project(place(self._basis.shape(z.identity, beta), pose))[:LANDMARKS, :2]
        misfit = np.linalg.norm(found[:468] - seen[:468, :2], axis=1).mean() * CROP_PX / 2
        return z.vector(), float(misfit)


def _turned_away(face: Face) -> float:
    """0 when the nose is midway between the cheeks."""
    left, right, nose = (face.landmarks[i, 0] for i in (454, 234, 4))
    return abs(float((nose - (left + right) / 2) / max(abs(left - right), 1e-3)))
