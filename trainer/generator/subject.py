"""A person whose portrait moves: one crop as the source, and what geometry makes of any other moment of the same person.

It is what the camera does (``engine.animator``) without the network, so that what the network learns to correct in training is
what it will have to correct in use.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from engine.conventions import place, project
from engine.errors import InputError
from engine.generator.compose_fast import Compositor, pack
from engine.generator.variants import STATE_CHANNELS
from engine.head import HeadModel
from engine.portrait import separate
from engine.regress.portrait import Fit, fit_portrait
from engine.regress.same_person import SamePerson
from engine.track import Tracker, person_matte
from engine.values import Coefficients, Face, Floats, Picture, Square
from engine.warp.prior import Prior
from engine.warp.source import SourceGeometry
from trainer.data.shards import CROP_PX

CROP = Square(CROP_PX / 2, CROP_PX / 2, CROP_PX)


class SourceSubject:
    """One portrait, prepared; serves one thread.

    crop (512, 512, 3), face, matte (512, 512) 0…1, foreground and plate (512, 512, 3): as ``engine.portrait.Portrait``. ``fit``:
    the head as it is in the crop, and ``coefficients``: z_s.
    """

    def __init__(self, crop: Picture, face: Face, fit: Fit) -> None:
        self.crop, self.face, self.fit = crop, face, fit
        self.matte, self.foreground, self.plate = separate(crop, person_matte(crop), face)
        self.coefficients, self.head = fit.coefficients, fit.head
        self._geometry = SourceGeometry(fit.head, fit.coefficients, fit.albedo, crop)
        self._layers = pack(self.foreground, self.matte, self.plate)
        self._person = SamePerson(fit, face)

    @classmethod
    def fitted(cls, head: HeadModel, crop: Picture, face: Face) -> SourceSubject:
        """The person of a crop as the camera meets them: the ``head`` is fitted to the ``face``."""
        return cls(crop, face, fit_portrait(head, face, crop))

    def made_up(self, tracker: Tracker, z: Coefficients) -> SourceSubject:
        """The same person whose only photograph is what geometry makes of ``z``; raises InputError when it shows no face.

        Its head is known, not fitted: its prior of this subject's z differs from this subject's crop by what the source does not
        show, and not by place.
        """
        source = self.picture(self.prior(z))
        return SourceSubject(source, only_face(tracker, source), replace(self.fit, coefficients=z))

    def follow(self, face: Face) -> Coefficients:
        """z_des that shows the same person as in another crop of the same square, where they have this face.

        Both faces are fitted alike and only the difference is applied, so that the source's own face gives z_s exactly.
        """
        return self._person.coefficients(face)

    def prior(self, z: Coefficients) -> Prior:
        """What geometry knows of z_des; its arrays are reused by the next call."""
        return self._geometry.prior(z)

    def picture(self, prior: Prior) -> Picture:
        """P (512, 512, 3), the picture before anything learned."""
        nothing = np.zeros((STATE_CHANNELS, CROP_PX // 2, CROP_PX // 2), np.float32)
        compose = _compositor().compose
        mix = np.eye(3, dtype=np.float32)
        return compose(nothing, prior.flow, self._layers, render=prior.render, render_weight=prior.render_weight, mix=mix).copy()

    def points(self, z: Coefficients) -> Floats:
        """(478, 3) the landmark points of z's expression and gaze in head coordinates [dm]."""
        return self.head.model.landmarks(self.head.shape(z.expression, z.gaze))

    def outline(self, z: Coefficients) -> Floats:
        """(478, 2) the same points as z places them in the picture, crop coordinates."""
        return np.asarray(project(place(self.points(z), z.pose))[:, :2], np.float32)


def only_face(tracker: Tracker, crop: Picture) -> Face:
    """The largest face of a crop; raises InputError when there is none."""
    face = largest_face(tracker, crop)
    if face is None:
        raise InputError("no face found in a crop")
    return face


def largest_face(tracker: Tracker, crop: Picture) -> Face | None:
    """None when there is none."""
    return next(iter(tracker.find_all(crop)), None)


@lru_cache(maxsize=1)
def _compositor() -> Compositor:
    return Compositor(CROP_PX, CROP_PX // 2, threads=1)
