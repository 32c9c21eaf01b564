"""The open head on disk: a plain ``.npz`` of float16 and integers, no pickle."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import AssetError
from engine.head.basel import load_basel
from engine.head.model import HeadModel

OPEN_HEAD = Path(__file__).parents[1] / "assets" / "open_head.npz"

# How each array is held in memory; on disk the floating ones are float16, indices the smallest integers that hold them.
_ARRAY_TYPES: dict[str, type[np.generic]] = {
    "mean_shape": np.float32,
    "identity_basis": np.float32,
    "expression_basis": np.float32,
    "mean_albedo": np.float32,
    "albedo_basis": np.float32,
    "triangles": np.int32,
    "part": np.uint8,
    "landmark_triangles": np.int32,
    "landmark_weights": np.float32,
    "follow": np.float32,
    "eye_centres": np.int32,
}


@lru_cache(maxsize=4)
def load_head(path: Path = OPEN_HEAD) -> HeadModel:
    """The open head, or the Basel model when ``path`` is D3DFR's ``.mat`` file. Kept after the first call: treat it as constant.

    Raises AssetError when the file is missing or damaged.
    """
    if path.suffix == ".mat":
        return load_basel(path, load_head())
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return from_arrays({name: archive[name] for name in _ARRAY_TYPES})
    except FileNotFoundError as error:
        raise AssetError(
            f"the head model is missing at {path}: install again, or build it by `python -m trainer head`"
        ) from error
    except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds for damaged files
        raise AssetError(f"the head model at {path} is damaged ({error}): build it again by `python -m trainer head`") from error


def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> HeadModel:
    """The arrays of the file as the model."""
    typed: dict[str, Any] = {name: arrays[name].astype(kind) for name, kind in _ARRAY_TYPES.items()}
    return HeadModel(**typed)
