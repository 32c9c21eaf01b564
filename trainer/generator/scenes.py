"""Scenes on disk: a source photograph, taken apart, and moments it is to show, each with what geometry knows of it.

A folder with one ``<name>.npz`` per scene: plain arrays without pickle, pictures as JPEG. A scene is written beside its place and
moved there when it is whole: what bears the name can be read, and a run that was stopped goes on with the next one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError
from engine.values import COEFFICIENTS, Floats, Picture
from trainer.data.npz import write_npz
from trainer.data.shards import CROP_PX

Plane = NDArray[np.uint8]  # (512, 512)

VERSION = 2
JPEG_QUALITY = 96
SUFFIX = ".npz"


@dataclass(frozen=True, eq=False)
class SourcePhoto:
    """I_s, taken apart as the compositor wants it; S = 512.

    photo (S, S, 3) uint8 · matte (S, S) uint8, 255 = person · foreground, plate (S, S, 3) uint8 · z (261,) z_s · points (478, 2)
    crop coordinates of its landmarks
    """

    photo: Picture
    matte: Plane
    foreground: Picture
    plate: Picture
    z: Floats
    points: Floats


@dataclass(frozen=True, eq=False)
class TargetFrame:
    """What the source is to show.

    z              (261,)             z_des
    flow           (S, S, 2) float16  flow prior, crop coordinates
    render         (S, S, 3) uint8    I_3D
    render_weight  (S, S) uint8       k, 255 = 1
    coverage       (S, S) bool        where the head mesh is
    points         (478, 2)           crop coordinates at which its landmarks are to be
    tight          (3,)               centre x, y and side [px] of the crop in which a regressor looks at it
    tight_pose     (6,)               p as seen by the camera of that crop
    target         (S, S, 3) uint8    I_d of the same person, or None: then it is somebody else's motion
    """

    z: Floats
    flow: NDArray[np.float16]
    render: Picture
    render_weight: Plane
    coverage: NDArray[np.bool_]
    points: Floats
    tight: Floats
    tight_pose: Floats
    target: Picture | None


@dataclass(frozen=True, eq=False)
class TrainingScene:
    """One source and its moments. ``person``: equal for pictures of one person."""

    person: int
    source: SourcePhoto
    moments: tuple[TargetFrame, ...]


def write_scene(path: Path, scene: TrainingScene) -> None:
    """Writes a scene, whole or not at all. Raises InputError when it cannot be written."""
    source = scene.source
    arrays: dict[str, NDArray[Any]] = {
        "version": np.array(VERSION),
        "person": np.array(scene.person),
        "same": np.array([moment.target is not None for moment in scene.moments]),
        "photo": _jpeg(source.photo),
        "matte": _png(source.matte),
        "foreground": _jpeg(source.foreground),
        "plate": _jpeg(source.plate),
        "z": source.z.astype(np.float32),
        "points": source.points.astype(np.float32),
    }
    for k, moment in enumerate(scene.moments):
        arrays |= {f"{name}_{k}": value for name, value in _pack(moment).items()}
    try:
        write_npz(path, arrays)
    except InputError as error:
        raise InputError(f"{error} Free some space and run the same command again: it goes on where it stopped.") from error


class SceneFolder:
    """The scenes of a folder; (scene, moment) pairs by kind: ``same`` have a target, ``cross`` have none."""

    def __init__(self, folder: Path) -> None:
        """Raises InputError when there is no scene, or one that cannot be read."""
        self.folder, self.name = folder, folder.name
        self._paths = sorted(folder.glob(f"*{SUFFIX}"))
        if not self._paths:
            raise InputError(f"{folder} holds no scenes: make some by `python -m trainer scenes`.")
        self.same: list[tuple[int, int]] = []
        self.cross: list[tuple[int, int]] = []
        people = []
        for number, path in enumerate(self._paths):
            with _open(path) as arrays:
                people.append(int(_get(arrays, path, "person")))
                for k, same in enumerate(_get(arrays, path, "same")):
                    (self.same if same else self.cross).append((number, k))
        self.person = np.array(people)

    def __len__(self) -> int:
        return len(self._paths)

    def label(self, scene: int, moment: int) -> str:
        """For messages and pictures."""
        return f"{self.name}/{self._paths[scene].stem}[{moment}]"

    def __getitem__(self, place: tuple[int, int]) -> tuple[SourcePhoto, TargetFrame]:
        path = self._paths[place[0]]
        with _open(path) as arrays:
            z, points = _get(arrays, path, "z"), _get(arrays, path, "points")
            photo, foreground, plate = (_picture(_get(arrays, path, name)) for name in ("photo", "foreground", "plate"))
            source = SourcePhoto(photo, _mask(_get(arrays, path, "matte")), foreground, plate, z, points)
            return source, _unpack(arrays, path, place[1])


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    with path.open("rb") as file:
        try:
            arrays = np.load(file, allow_pickle=False)
            if int(arrays["version"]) != VERSION or arrays["z"].shape != (COEFFICIENTS,):
                raise ValueError(f"version {int(arrays['version'])}, wanted {VERSION}")
        except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds for damaged files
            raise InputError(f"The scene {path} cannot be read ({error}): delete it and make it again.") from error
        yield arrays


def _get(arrays: Any, path: Path, name: str) -> NDArray[Any]:
    try:
        found: NDArray[Any] = arrays[name]
    except Exception as error:  # as above
        raise InputError(f"The scene {path} is damaged at {name} ({error}): delete it and make it again.") from error
    return found


def _pack(moment: TargetFrame) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        "z": moment.z.astype(np.float32),
        "flow": moment.flow,
        "render": _jpeg(moment.render),
        "render_weight": _png(moment.render_weight),
        "coverage": np.packbits(moment.coverage),
        "points": moment.points.astype(np.float32),
        "tight": np.concatenate([moment.tight, moment.tight_pose]).astype(np.float32),
    }
    return arrays if moment.target is None else {**arrays, "target": _jpeg(moment.target)}


def _unpack(arrays: Any, path: Path, k: int) -> TargetFrame:
    tight = _get(arrays, path, f"tight_{k}")
    coverage = np.unpackbits(_get(arrays, path, f"coverage_{k}"), count=CROP_PX * CROP_PX).reshape(CROP_PX, CROP_PX)
    return TargetFrame(
        _get(arrays, path, f"z_{k}"),
        _get(arrays, path, f"flow_{k}"),
        _picture(_get(arrays, path, f"render_{k}")),
        _mask(_get(arrays, path, f"render_weight_{k}")),
        coverage.astype(bool),
        _get(arrays, path, f"points_{k}"),
        tight[:3],
        tight[3:],
        _picture(_get(arrays, path, f"target_{k}")) if f"target_{k}" in arrays else None,
    )


def _jpeg(picture: Picture) -> NDArray[np.uint8]:
    flags = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return np.asarray(cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), flags)[1].reshape(-1))


def _png(mask: Plane) -> NDArray[np.uint8]:
    return np.asarray(cv2.imencode(".png", mask, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].reshape(-1))


def _picture(file: NDArray[Any]) -> Picture:
    return np.ascontiguousarray(np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])


def _mask(file: NDArray[Any]) -> Plane:
    return np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), np.uint8)
