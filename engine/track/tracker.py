"""The face tracker: follows one face through frames, or finds all of a picture's."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Literal, Protocol

from engine.errors import AssetError
from engine.manifest import ASSETS
from engine.picture import read_picture
from engine.resource import Resource
from engine.track.face_networks import FaceNetworks
from engine.track.mediapipe_models import Landmarker
from engine.track.regions import width_px
from engine.values import Face, Picture

MODEL = ASSETS / "face_landmarker.task"  # mediapipe's published float16 model
KNOWN_FACE = ASSETS / "portrait.jpg"


class Finder(Protocol):
    """A way to run the face networks."""

    def find_one(self, image: Picture, time_s: float, last: Face | None) -> Face | None:
        """In a frame taken at ``time_s``: of several faces the one most like ``last``, or the largest when there was none."""

    def find_all(self, image: Picture) -> list[Face]:
        """Every face of a picture, in any order."""

    def close(self) -> None:
        """Frees the networks; a second call does nothing."""


class Tracker(Resource):
    """``mode`` "video" follows one face from frame to frame, "picture" looks at each picture on its own."""

    def __init__(self, mode: Literal["video", "picture"] = "video") -> None:
        self._finder: Finder = (open_networks() if mode == "video" else None) or Landmarker(mode, MODEL)
        self._last: Face | None = None

    def track(self, image: Picture, time_s: float) -> Face | None:
        """The face in a frame taken at ``time_s`` (any clock that does not run backward), or None (mode "video")."""
        face = self._finder.find_one(image, time_s, self._last)
        self._last = face or self._last
        return face

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
