"""The Basel model's loader, on a file of D3DFR's layout that holds a tiny face of our own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import AssetError
from engine.head import HeadModel, Part, load_head
from engine.landmark_indices import IBUG_KEYPOINTS
from engine.render import create_renderer
from engine.render.render import render_head
from engine.values import Coefficients

savemat = pytest.importorskip("scipy.io").savemat


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    """The open head's skin, moved and enlarged, as D3DFR would store it."""
    head = load_head()
    triangles = head.triangles[head.part == Part.SKIN]
    used, local = np.unique(triangles, return_inverse=True)
    shape = head.mean_shape[used] * 1.1 + [0, 0.2, -0.5]
    points = head.landmarks(head.mean_shape)[list(IBUG_KEYPOINTS)] * 1.1 + [0, 0.2, -0.5]
    keypoints = [int(((shape - point) ** 2).sum(1).argmin()) + 1 for point in points]
    rng = np.random.default_rng(0)
    return {
        "meanshape": shape.reshape(1, -1),
        "meantex": np.full((1, 3 * len(used)), 127.5),
        "idBase": rng.normal(size=(3 * len(used), 80)) * 0.01,
        "exBase": rng.normal(size=(3 * len(used), 64)) * 0.01,
        "texBase": rng.normal(size=(3 * len(used), 80)),
        "tri": local.reshape(-1, 3) + 1,
        "keypoints": np.array([keypoints]),
    }


@pytest.fixture(scope="module")
def basel(content: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> HeadModel:
    path = tmp_path_factory.mktemp("basel") / "BFM_model_front.mat"
    savemat(path, content)
    return load_head(path)


def test_equations_2_and_3_hold(basel: HeadModel, content: dict[str, Any]) -> None:
    rng = np.random.default_rng(1)
    alpha, beta, delta = (rng.normal(size=count).astype(np.float32) for count in (80, 64, 80))
    shape = content["meanshape"].ravel() + content["idBase"] @ alpha + content["exBase"] @ beta
    np.testing.assert_allclose(basel.shape(alpha, beta, np.zeros(4, np.float32)).ravel(), shape, atol=1e-4)
    colours = (content["meantex"].ravel() + content["texBase"] @ delta) / 255
    np.testing.assert_allclose(basel.albedo(delta).ravel(), np.clip(colours, 0, 1), atol=1e-4)


def test_the_landmark_points_are_carried_over(basel: HeadModel) -> None:
    head = load_head()
    expected = head.landmarks(head.mean_shape)[:468] * 1.1 + [0, 0.2, -0.5]
    error = np.linalg.norm(basel.landmarks(basel.mean_shape)[:468] - expected, axis=1)
    assert np.median(error) < 0.03


def test_gaze_does_nothing_without_eyeballs(basel: HeadModel) -> None:
    zeros = np.zeros(64, np.float32)
    personal = basel.with_identity(np.zeros(80, np.float32))
    np.testing.assert_array_equal(personal.shape(zeros, np.ones(4, np.float32)), personal.shape(zeros, np.zeros(4, np.float32)))


def test_it_renders(basel: HeadModel) -> None:
    picture, raster = render_head(basel, Coefficients.neutral(), create_renderer("cpu", 64))
    assert (raster.triangle >= 0).mean() > 0.2
    assert set(np.unique(picture[raster.triangle >= 0])) <= {127, 128}


def test_another_layout_is_refused_by_name(content: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "other.mat"
    savemat(path, {name: value for name, value in content.items() if name != "exBase"})
    with pytest.raises(AssetError, match="lacks exBase"):
        load_head(path)
    savemat(path, content | {"texBase": content["texBase"][:, :50]})
    with pytest.raises(AssetError, match=r"texBase in .* must be"):
        load_head(path.rename(tmp_path / "short.mat"))


def test_what_is_no_matlab_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.mat"
    path.write_bytes(b"not a model")
    with pytest.raises(AssetError, match="is not a Matlab file"):
        load_head(path)
    with pytest.raises(AssetError, match="missing at"):
        load_head(tmp_path / "none.mat")
