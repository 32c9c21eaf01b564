"""The Basel Face Model as the D3DFR code stores it (``BFM_model_front.mat``), for those who hold a licence for it.

Nothing of that model comes with this program. It has no eyeballs, teeth or tongue, and its 64 expressions have no names. The
tracker's 478 points are carried over from the open head: the 68 keypoints that both models know bend one onto the other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import AssetError
from engine.head.model import HeadModel
from engine.head.parts import Part
from engine.landmark_indices import IBUG_KEYPOINTS
from engine.values import EXPRESSION, IDENTITY, TEXTURE, Floats


def load_basel(path: Path, open_head: HeadModel) -> HeadModel:
    """The model in a D3DFR ``.mat`` file [dm, 0…1 for colours]. Raises AssetError when it is missing or has another layout."""
    content = _read(path)
    vertices = np.asarray(content["meanshape"]).size // 3
    mean = _vectors(content, "meanshape", 1, path)[0]
    triangles = np.asarray(content["tri"]).astype(np.int32) - 1  # Matlab counts from 1
    keypoints = np.asarray(content["keypoints"]).ravel().astype(int) - 1
    landmarks = _carry_over(open_head.landmarks(open_head.mean_shape), mean, keypoints)
    return HeadModel(
        mean_shape=mean,
        identity_basis=_vectors(content, "idBase", IDENTITY, path),
        expression_basis=_vectors(content, "exBase", EXPRESSION, path),
        mean_albedo=_vectors(content, "meantex", 1, path)[0] / np.float32(255),
        albedo_basis=_vectors(content, "texBase", TEXTURE, path) / np.float32(255),
        triangles=triangles,
        part=np.full(len(triangles), Part.SKIN, np.uint8),
        landmark_triangles=_a_triangle_of_each(triangles, vertices)[landmarks],
        landmark_weights=_weight_of(triangles, _a_triangle_of_each(triangles, vertices)[landmarks], landmarks),
        follow=np.ones(vertices, np.float32),
        eye_centres=np.zeros((2, 0), np.int32),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        from scipy.io import loadmat  # type: ignore[import-untyped]  # here, because only this model needs it
    except ImportError as error:
        raise AssetError("reading the Basel model needs the package scipy: install it by `pip install scipy`") from error
    try:
        with path.open("rb") as file:
            content: dict[str, Any] = loadmat(file)
    except FileNotFoundError as error:
        raise AssetError(f"the Basel model is missing at {path}: give the path of D3DFR's BFM_model_front.mat") from error
    except Exception as error:  # scipy raises a dozen kinds for damaged files
        raise AssetError(f"{path} is not a Matlab file that can be read ({error}): give D3DFR's BFM_model_front.mat") from error
    missing = {"meanshape", "meantex", "idBase", "exBase", "texBase", "tri", "keypoints"} - set(content)
    if missing:
        raise AssetError(f"{path} must have the layout of D3DFR's BFM_model_front.mat, but lacks {', '.join(sorted(missing))}")
    return content


def _vectors(content: dict[str, Any], name: str, count: int, path: Path) -> Floats:
    """(3 V, count) or (1, 3 V), x y z of one vertex after another → (count, V, 3)."""
    values = np.asarray(content[name], np.float32)
    size = np.asarray(content["meanshape"]).size
    columns = values.reshape(size, 1) if count == 1 and values.size == size else values
    if columns.ndim != 2 or columns.shape[0] != size or columns.shape[1] < count:
        raise AssetError(f"{name} in {path} must be {size} × {count} numbers, got {' × '.join(map(str, values.shape))}")
    return np.ascontiguousarray(columns[:, :count].T).reshape(count, -1, 3)


def _carry_over(points: Floats, mean: Floats, keypoints: NDArray[np.int64]) -> NDArray[np.int64]:
    """(478, 3) points of the open head → (478,) nearest vertices, after bending keypoints onto keypoints (3-D spline |r|)."""
    known, wanted = points[list(IBUG_KEYPOINTS)].astype(np.float64), mean[keypoints].astype(np.float64)
    size = len(known)
    system = np.zeros((size + 4, size + 4))
    system[:size, :size] = np.linalg.norm(known[:, None] - known[None], axis=-1)
    system[:size, size:] = np.concatenate([np.ones((size, 1)), known], 1)
    system[size:, :size] = system[:size, size:].T
    spline = np.linalg.lstsq(system, np.concatenate([wanted, np.zeros((4, 3))]), rcond=None)[0]
    distance = np.linalg.norm(points[:, None] - known[None], axis=-1)
    bent = np.concatenate([distance, np.ones((len(points), 1)), points], 1) @ spline
    return np.array([int(((mean - point) ** 2).sum(1).argmin()) for point in bent])


def _a_triangle_of_each(triangles: NDArray[np.int32], vertices: int) -> NDArray[np.int32]:
    """(V,) one triangle at every vertex."""
    one = np.zeros(vertices, np.int32)
    one[triangles.ravel()] = np.repeat(np.arange(len(triangles), dtype=np.int32), 3)
    return one


def _weight_of(triangles: NDArray[np.int32], chosen: NDArray[np.int32], vertices: NDArray[np.int64]) -> Floats:
    """(K, 3) 1 at the corner of each chosen triangle that is the wanted vertex."""
    return np.asarray(triangles[chosen] == vertices[:, None], np.float32)
