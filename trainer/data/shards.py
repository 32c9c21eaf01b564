"""Shards: prepared crops on disk. Files ``<split>/<name>.npz``, plain arrays without pickle, readable by numpy alone.

Arrays of a shard with N crops:

    jpeg        (B,) uint8       the crops' JPEG files, one after another: 512 × 512, RGB
    jpeg_end    (N,) int64       where each of them ends
    z           (N, 261) float32 coefficients that the geometry found, see ``engine.values.Coefficients``
    landmarks   (N, 478, 2) float32 pixels of the crop, its edges at 0 and 512
    quality     (N,) float32     0…1, see ``trainer.data.quality``
    person      (N,) int64       equal for pictures of one person
    clip        (N,) int64       equal for frames of one video that share one square and one background
    time_s      (N,) float64     within the video, 0 for photographs
    source      (N,) str         the file it came from
    version     () int64         of this layout

A shard is written beside its place and moved there when it is whole and on disk: what bears the name can be read.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError
from engine.values import COEFFICIENTS, LANDMARKS, Floats, Picture
from trainer.data.npz import write_npz

VERSION = 1
CROP_PX = 512
JPEG_QUALITY = 95
SPLITS = ("train", "test")
_SUFFIX = ".npz"
_OPEN_SHARDS = 16


@dataclass(frozen=True, eq=False)
class Crop:
    """One prepared picture; the fields are those of a shard, ``image`` (512, 512, 3) RGB uint8 decoded."""

    image: Picture
    z: Floats
    landmarks: Floats
    quality: float
    person: int
    clip: int
    time_s: float
    source: str


def write_shard(path: Path, crops: Sequence[Crop]) -> None:
    """Writes a shard, whole or not at all. Raises InputError when the disk is full or the folder cannot be written."""
    jpegs = [_encode(crop.image) for crop in crops]
    arrays: dict[str, NDArray[Any]] = {
        "jpeg": np.concatenate(jpegs),
        "jpeg_end": np.cumsum([len(jpeg) for jpeg in jpegs]),
        "z": np.stack([crop.z for crop in crops]).astype(np.float32),
        "landmarks": np.stack([crop.landmarks for crop in crops]).astype(np.float32),
        "quality": np.array([crop.quality for crop in crops], np.float32),
        "person": np.array([crop.person for crop in crops], np.int64),
        "clip": np.array([crop.clip for crop in crops], np.int64),
        "time_s": np.array([crop.time_s for crop in crops], np.float64),
        "source": np.array([crop.source for crop in crops], np.str_),
        "version": np.array(VERSION, np.int64),
    }
    try:
        write_npz(path, arrays)
    except InputError as error:
        raise InputError(f"{error} Free some space and run the same command again: it goes on where it stopped.") from error


class ShardFolder:
    """All crops of one split below a folder, by index; shards are opened when needed, a few are kept open."""

    def __init__(self, folder: Path, split: str = "train") -> None:
        """Raises InputError when there is none, or one that cannot be read."""
        self._paths = sorted((folder / split).glob(f"*{_SUFFIX}"))
        if not self._paths:
            raise InputError(f"{folder / split} holds no shards: make some by `python -m trainer prepare`")
        self._open: OrderedDict[int, dict[str, NDArray[Any]]] = OrderedDict()
        labels = [_labels(path) for path in self._paths]
        self._ends = np.cumsum([len(person) for person, _, _ in labels])
        self.person, self.clip, self.quality = (np.concatenate(columns) for columns in zip(*labels, strict=True))

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, index: int) -> Crop:
        if not 0 <= index < len(self):
            raise IndexError(f"crop {index} of {len(self)}")
        shard = int(np.searchsorted(self._ends, index, side="right"))
        return _crop(self._arrays(shard), index - (int(self._ends[shard - 1]) if shard else 0), self._paths[shard])

    def __iter__(self) -> Iterator[Crop]:
        return (self[index] for index in range(len(self)))

    def _arrays(self, shard: int) -> dict[str, NDArray[Any]]:
        if shard not in self._open:
            self._open[shard] = read_shard(self._paths[shard])
        self._open.move_to_end(shard)
        while len(self._open) > _OPEN_SHARDS:
            self._open.popitem(last=False)
        return self._open[shard]


def read_shard(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a shard, checked. Raises InputError."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        count = len(arrays["z"])
        wanted = {"z": (count, COEFFICIENTS), "landmarks": (count, LANDMARKS, 2), "jpeg_end": (count,), "person": (count,)}
        bad = [name for name, shape in wanted.items() if arrays[name].shape != shape]
        if int(arrays["version"]) != VERSION or bad or int(arrays["jpeg_end"][-1]) != len(arrays["jpeg"]):
            raise ValueError(f"version {int(arrays['version'])}, wanted {VERSION}; wrong: {', '.join(bad) or 'nothing'}")
    except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds for damaged files
        raise InputError(
            f"the shard {path} cannot be read ({error}): delete it and run `python -m trainer prepare` again"
        ) from error
    return arrays


def _labels(path: Path) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return archive["person"], archive["clip"], archive["quality"]
    except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds for damaged files
        raise InputError(
            f"the shard {path} cannot be read ({error}): delete it and run `python -m trainer prepare` again"
        ) from error


def _crop(arrays: dict[str, NDArray[Any]], row: int, path: Path) -> Crop:
    start = int(arrays["jpeg_end"][row - 1]) if row else 0
    image = cv2.imdecode(arrays["jpeg"][start : int(arrays["jpeg_end"][row])], cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(
            f"picture {row} of the shard {path} is damaged: delete the shard and run `python -m trainer prepare` again"
        )
    return Crop(
        np.ascontiguousarray(image[..., ::-1]).astype(np.uint8),
        arrays["z"][row],
        arrays["landmarks"][row],
        float(arrays["quality"][row]),
        int(arrays["person"][row]),
        int(arrays["clip"][row]),
        float(arrays["time_s"][row]),
        str(arrays["source"][row]),
    )


def _encode(image: Picture) -> NDArray[np.uint8]:
    done, data = cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise InputError("a crop could not be encoded as JPEG")
    return np.asarray(data, np.uint8).ravel()
