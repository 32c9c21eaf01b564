"""The only place that knows mediapipe: face landmarks with blend-shape scores, and the person matte.

mediapipe 0.10.33 is used because its native library cannot open a connection: from 0.10.35 on it can, and reports usage.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np

from engine.manifest import ASSETS
from engine.resource import Resource
from engine.track.regions import width_px
from engine.values import EXPRESSION_NAMES, LANDMARKS, Face, Floats, Picture

UNUSED = (
    "matplotlib", "matplotlib.pyplot",  # takes seconds, and writes a cache of fonts into the home directory
    "mediapipe.tasks.python.audio",  # loads PortAudio, which asks the system for every sound device
    "mediapipe.tasks.python.text",
    "mediapipe.tasks.python.genai",
)  # fmt: skip


@contextmanager
def _without_unused() -> Iterator[None]:
    """Empty modules stand in for what mediapipe imports and nothing here uses, where nobody has imported it yet."""
    absent = [name for name in UNUSED if sys.modules.get(name) is None]
    sys.modules.update({name: ModuleType(name) for name in absent})
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


with _without_unused():
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

MAX_FACES = 6  # in a picture; more are not looked at
PERSON_MODEL = ASSETS / "selfie_segmentation.tflite"  # mediapipe's general model, 256 px


class Landmarker(Resource):
    """mediapipe's own graph around its face networks. ``mode`` "video" looks at frames in order, "picture" at each on its own."""

    def __init__(self, mode: Literal["video", "picture"], model: Path) -> None:
        options = vision.FaceLandmarkerOptions(
            # the model is handed over as bytes: mediapipe cannot open paths outside ASCII on Windows
            base_options=BaseOptions(model_asset_buffer=model.read_bytes()),
            running_mode=vision.RunningMode.VIDEO if mode == "video" else vision.RunningMode.IMAGE,
            # with 1, mediapipe smooths over time and lags a sixth of a second behind a blink; the drive does its own smoothing
            num_faces=MAX_FACES,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=mode == "picture",
        )
        self._landmarker = vision.FaceLandmarker.create_from_options(options)
        self._time_ms, self._closed = -1, False

    def find_next(self, image: Picture, time_s: float) -> list[Face]:
        """Every face of a frame taken at ``time_s`` (mode "video")."""
        self._time_ms = max(self._time_ms + 1, round(time_s * 1000))  # mediapipe refuses equal times
        return _faces(self._landmarker.detect_for_video(_wrap(image), self._time_ms), image)

    def find_all(self, image: Picture) -> list[Face]:
        """Every face of a still picture (mode "picture")."""
        return _faces(self._landmarker.detect(_wrap(image)), image)

    def find_posed(self, image: Picture) -> tuple[Face, Floats] | None:
        """The largest face of a still picture and the head's rotation (3, 3) as mediapipe sees it, ``engine.conventions`` (mode
        "picture")."""
        found = self._landmarker.detect(_wrap(image))
        faces = _faces(found, image)
        if not faces:
            return None
        largest = max(range(len(faces)), key=lambda index: width_px(faces[index]))
        matrix = np.asarray(found.facial_transformation_matrixes[largest], np.float32)[:3, :3]
        return faces[largest], matrix / np.linalg.norm(matrix, axis=0)

    def close(self) -> None:
        """Frees the model; a second call does nothing. The landmarker cannot be used afterwards."""
        if not self._closed:
            self._closed = True
            self._landmarker.close()


def person_matte(image: Picture) -> Floats:
    """(H, W) 0…1, how much of each pixel is a person (mediapipe's selfie segmentation, 256² inside, hence soft)."""
    options = vision.ImageSegmenterOptions(
        base_options=BaseOptions(model_asset_buffer=PERSON_MODEL.read_bytes()), output_confidence_masks=True
    )
    with vision.ImageSegmenter.create_from_options(options) as model:
        (mask,) = model.segment(_wrap(image)).confidence_masks
        matte = np.array(mask.numpy_view(), np.float32).reshape(image.shape[:2])  # a copy: the view ends with the model
    return np.clip(matte, 0, 1)


def _wrap(image: Picture) -> mp.Image:
    return mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(image))


def _faces(found: Any, image: Picture) -> list[Face]:
    height, width = image.shape[:2]
    return [
        Face(_landmarks(points, width, height), _scores(shapes), (width, height))
        for points, shapes in zip(found.face_landmarks, found.face_blendshapes, strict=True)
    ]


def _landmarks(points: Any, width: int, height: int) -> Floats:
    out = np.array([(p.x * width, p.y * height, -p.z * width) for p in points], np.float32)
    if out.shape != (LANDMARKS, 3):
        raise ValueError(f"the face model must give {LANDMARKS} points, got {len(out)}")
    return out


def _scores(shapes: Any) -> Floats:
    by_name = {shape.category_name: shape.score for shape in shapes}
    # the network has no score for the tongue
    return np.array([by_name.get(name, 0.0) for name in EXPRESSION_NAMES], np.float32)
