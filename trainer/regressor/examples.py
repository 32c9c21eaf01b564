"""Example sets on disk: face crops with what is known of them. A folder with images.npy (memory-mapped) and labels.npz."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import InputError
from engine.files import replacing_folder
from engine.values import COEFFICIENTS, EXPRESSION, GAZE, IDENTITY, ILLUMINATION, LANDMARKS, POSE, TEXTURE, Floats, Picture

# The groups of z and their sizes, in the order of ``Example.trust``.
GROUPS = {
    "identity": IDENTITY, "expression": EXPRESSION, "texture": TEXTURE, "illumination": ILLUMINATION, "pose": POSE, "gaze": GAZE,
}  # fmt: skip
IMAGES, LABELS = "images.npy", "labels.npz"
STORED_PX = 192  # side of the crops


@dataclass(frozen=True)
class Example:
    """One crop.

    image      (S, S, 3) RGB uint8
    z          (261,), p relative to the camera that looks at this crop
    trust      (6,) 0…1 how far each group of z is to be believed, in the order of ``GROUPS``; 1 for α: exactly known
    landmarks  (478, 2) crop coordinates
    person     a number
    """

    image: Picture
    z: Floats
    trust: Floats
    landmarks: Floats
    person: int


@dataclass(frozen=True)
class ExampleSet:
    """Many of them: arrays as of ``Example`` with N first."""

    name: str
    images: Picture
    z: Floats
    trust: Floats
    landmarks: Floats
    person: np.ndarray[tuple[int], np.dtype[np.int64]]

    def __len__(self) -> int:
        return len(self.z)

    def __reduce__(self) -> Any:
        """A memory-mapped set is opened again where it is sent to, and not copied."""
        file = getattr(self.images, "filename", None)
        if file is None:
            return super().__reduce__()
        return open_examples, (Path(file).parent,)

    def __getitem__(self, index: int) -> Example:
        return Example(
            np.asarray(self.images[index]), self.z[index], self.trust[index], self.landmarks[index], int(self.person[index])
        )


def open_examples(folder: Path) -> ExampleSet:
    """The set in a folder; raises InputError when there is none, it is empty, or its parts do not fit."""
    try:
        images = np.load(folder / IMAGES, mmap_mode="r", allow_pickle=False)
        with np.load(folder / LABELS, allow_pickle=False) as labels:
            z, trust, landmarks, person = (labels[name] for name in ("z", "trust", "landmarks", "person"))
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{folder} does not hold an example set: {error}. Make one by `python -m trainer examples`.") from error
    count = len(images)
    wanted = ((count, COEFFICIENTS), (count, len(GROUPS)), (count, LANDMARKS, 2), (count,))
    if count == 0 or tuple(a.shape for a in (z, trust, landmarks, person)) != wanted:
        raise InputError(f"The example set {folder} is empty or its labels do not fit its {count} images: make it again.")
    return ExampleSet(folder.name, images, z.astype(np.float32), trust.astype(np.float32), landmarks, person.astype(np.int64))


def write_examples(folder: Path, examples: Iterable[Example]) -> int:
    """Writes a set, whole or not at all, and returns its length. Raises InputError when nothing came or the disk is full."""
    kept = list(examples)
    if not kept:
        raise InputError(f"No example is left for {folder}: no face was found in what was given.")
    with replacing_folder(folder) as part:
        np.save(part / IMAGES, np.stack([e.image for e in kept]))
        np.savez(
            part / LABELS,
            z=np.stack([e.z for e in kept]),
            trust=np.stack([e.trust for e in kept]),
            landmarks=np.stack([e.landmarks for e in kept]),
            person=np.array([e.person for e in kept]),
        )
    return len(kept)
