"""The face tracker: follows one face through frames, or finds all of a picture's."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import Literal, Protocol

import numpy as np

from engine.errors import AssetError
from engine.manifest import ASSETS
from engine.picture import read_picture
from engine.resource import Resource
from engine.track.face_networks import FaceNetworks
from engine.track.following import Candidate, Follower
from engine.track.mediapipe_models import Landmarker
from engine.track.regions import REGION_PER_BOX, Region, width_px
from engine.values import Face, Picture

MODEL = ASSETS / "face_landmarker.task"  # mediapipe's published float16 model
KNOWN_FACE = ASSETS / "portrait.jpg"


class Finder(Protocol):
    """A way to run the face networks."""

    def candidates(self, image: Picture, time_s: float) -> list[Candidate]:
        """Where faces may be in a frame taken at ``time_s``, in any order."""

    def find_all(self, image: Picture) -> list[Face]:
        """Every face of a picture, in any order."""

    def close(self) -> None:
        """Frees the networks; a second call does nothing."""


class OwnGraph:
    """mediapipe's own graph as a ``Finder``: it looks at every face of a frame, whichever is followed."""

    def __init__(self, landmarker: Landmarker) -> None:
        self._landmarker = landmarker
        self.find_all, self.close = landmarker.find_all, landmarker.close

    def candidates(self, image: Picture, time_s: float) -> list[Candidate]:
        """See ``Finder``."""
        return [Candidate(region_around(face), partial(_same, face)) for face in self._landmarker.find_next(image, time_s)]


def region_around(face: Face) -> Region:
    """About what the detector would give for a face."""
    return Region(face.landmarks[:, :2].mean(0), np.full(2, REGION_PER_BOX * width_px(face), np.float32), 0.0)


def _same(face: Face) -> Face:
    return face


class Tracker(Resource):
    """``mode`` "video" follows one person from frame to frame, "picture" looks at each picture on its own.

    The person that is followed is the largest of the first frame with a face. Covered, they are waited for; somebody else is
    followed only when they have been gone for ``following.STRANGER_S``.
    """

    def __init__(self, mode: Literal["video", "picture"] = "video") -> None:
        self._finder: Finder = (open_networks() if mode == "video" else None) or OwnGraph(Landmarker(mode, MODEL))
        self._follower = Follower()

    @property
    def person(self) -> int:
        """Rises when somebody else is followed from now on."""
        return self._follower.person

    def track(self, image: Picture, time_s: float) -> Face | None:
        """The followed face in a frame taken at ``time_s`` (any clock that does not run backward), or None (mode "video")."""
        return self._follower.follow(self._finder.candidates(image, time_s), max(image.shape[:2]), time_s)

    def find_all(self, image: Picture) -> list[Face]:
        """Every face of a still picture, the largest first (mode "picture")."""
        return sorted(self._finder.find_all(image), key=width_px, reverse=True)

    def close(self) -> None:
        """Frees the networks; a second call does nothing. The tracker cannot be used afterwards."""
        self._finder.close()


def open_networks() -> FaceNetworks | None:
    """mediapipe's networks in OpenVINO, two thirds of the work; None where it does not exist or does not know a face."""
    try:
        from engine.runtime.openvino_backend import open_lite  # here, because it is not there on every machine

        with ExitStack() as opened:
            networks = opened.enter_context(FaceNetworks(MODEL, open_lite))
            if len(networks.find_all(read_picture(KNOWN_FACE))) != 1:
                return None
            opened.pop_all()
            return networks
    except (ImportError, AssetError, OSError):
        return None
