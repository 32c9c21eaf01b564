"""mediapipe's face networks, run by OpenVINO: what its own graph finds in a picture, for two thirds of the time.

Three networks of ``face_landmarker.task``: the detector gives a region, the landmark network looks into it, and the blend-shape
network reads the scores off the landmarks. A test holds the answers to mediapipe's.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np

from engine.landmark_indices import BLENDSHAPE_INPUTS
from engine.resource import Resource
from engine.runtime import GraphSession
from engine.track.following import Candidate
from engine.track.regions import Region, anchors, faces_in, fitted, region_of
from engine.values import EXPRESSION_NAMES, LANDMARKS, Face, Floats, Picture

LANDMARKS_PX = 256
PRESENT = 0.5  # score of the landmark network below which there is no face
SHAPES: Mapping[str, tuple[int, ...]] = {
    "face_detector": (1, 128, 128, 3),
    "face_landmarks_detector": (1, LANDMARKS_PX, LANDMARKS_PX, 3),
    "face_blendshapes": (1, len(BLENDSHAPE_INPUTS), 2),
}


OpenNetwork = Callable[[bytes, tuple[int, ...]], GraphSession]
"""Opens a TensorFlow Lite file's content with its one input in that shape."""


class FaceNetworks(Resource):
    """``regions`` and then ``look``, or both in one. One object serves one thread."""

    def __init__(self, task: Path, open_network: OpenNetwork) -> None:
        """Reads the networks out of mediapipe's bundle; raises KeyError, OSError and what ``open_network`` raises."""
        with zipfile.ZipFile(task) as files, ExitStack() as opened:
            self._detector, self._landmarks, self._scores = (
                opened.enter_context(open_network(files.read(f"{name}.tflite"), shape)) for name, shape in SHAPES.items()
            )
            self._opened = opened.pop_all()
        self._anchors = anchors()
        self._small, self._crop, self._points = (np.empty(shape, np.float32) for shape in SHAPES.values())

    def candidates(self, image: Picture, time_s: float) -> list[Candidate]:
        """See ``engine.track.tracker.Finder``; every frame is looked at on its own, and only where somebody asks for a face."""
        del time_s
        return [Candidate(region, partial(self.look, image, region)) for region in self.regions(image)]

    def find_all(self, image: Picture) -> list[Face]:
        """Every face of a picture."""
        faces = (self.look(image, region) for region in self.regions(image))
        return [face for face in faces if face is not None]

    def close(self) -> None:
        """Frees the networks; a second call does nothing."""
        self._opened.close()

    def regions(self, image: Picture) -> list[Region]:
        """Around every face of a picture, the surest first."""
        square, place = fitted(image)
        np.multiply(square, np.float32(1 / 127.5), out=self._small[0])
        self._small -= 1
        boxes, scores = _run(self._detector, self._small)
        return [region_of(face, place) for face in faces_in(boxes[0], scores[0, :, 0], self._anchors)]

    def look(self, image: Picture, region: Region) -> Face | None:
        """The face in a region, or None when there is none."""
        np.multiply(region.cut(image, LANDMARKS_PX), np.float32(1 / 255), out=self._crop[0])
        raw, presence = _run(self._landmarks, self._crop)[:2]
        if 1 / (1 + np.exp(-float(presence.reshape(())))) <= PRESENT:
            return None
        landmarks = region.to_picture(raw.reshape(LANDMARKS, 3) / LANDMARKS_PX)
        landmarks[:, 2] *= -1
        self._points[0] = landmarks[BLENDSHAPE_INPUTS, :2]
        # the first score is that of a face at rest; for the tongue there is none
        scores = np.append(_run(self._scores, self._points)[0].reshape(-1)[1:], np.float32(0))
        if scores.shape != (len(EXPRESSION_NAMES),):
            raise ValueError(f"the blend-shape network must give {len(EXPRESSION_NAMES)} scores, got {len(scores)}")
        height, width = image.shape[:2]
        return Face(landmarks, scores, (width, height))


def _run(session: GraphSession, values: Floats) -> list[Floats]:
    """The outputs in the file's order."""
    (name,) = session.inputs
    return list(session.run({name: values}).values())
