"""The camera's side of the learned regressor: what is exported is what runs, without torch, and p is the asked square's."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.conventions import place, project
from engine.crop import cut
from engine.errors import AssetError, ConfigError
from engine.head import HeadModel, load_head
from engine.manifest import MANIFEST
from engine.regress import Regressor, open_regressor
from engine.regress.crops import crop_of, nearby, steadied
from engine.regress.joint import JointRegressor
from engine.regress.landmarks import LandmarkRegressor
from engine.regress.network import GRAPH, NetworkRegressor, read_regressor
from engine.values import COEFFICIENTS, Coefficients, Face, Square
from trainer.regressor.backbone import Tap
from trainer.regressor.export import write_regressor
from trainer.regressor.network import BACKBONES, RegressorNet

SIZE = 32
NOISE = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)
DARK = np.zeros_like(NOISE)
BLINKS, GAZE = slice(88, 90), slice(257, 261)  # of z
LIDS = slice(8, 10)  # of the scores


class Tiny(nn.Module):
    """A stand-in for Lite0."""

    taps = (Tap(8, 32),)

    def __init__(self, weights: Path | None = None) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 8, 32, 32)

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.layer(x)]


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_head()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[RegressorNet, Path]:
    """A tiny network whose answer stays near the neutral head, and its folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BACKBONES, "lite0", Tiny)  # type: ignore[arg-type]
        torch.manual_seed(0)
        network = RegressorNet("lite0", SIZE)
    neutral = Coefficients.neutral().vector()
    neutral[256] = -2
    network.mean.copy_(torch.from_numpy(neutral))
    with torch.no_grad():
        network.head.last.weight.normal_(0, 0.02)
    folder = tmp_path_factory.mktemp("regressor")
    share = np.zeros(COEFFICIENTS, np.float32)
    share[BLINKS], share[GAZE] = 1, 0.5
    write_regressor(network, folder, share)
    return network, folder


@pytest.fixture(scope="module")
def face(head: HeadModel) -> Face:
    """A face in ``NOISE``."""
    square = Square(180.0, 150.0, 240.0)
    points = project(place(head.landmarks(head.mean_shape), np.array([0.1, 0.2, 0, 0, 0, -3], np.float32)))
    pixels = np.concatenate([square.to_pixels(points[:, :2]), np.zeros((478, 1), np.float32)], 1)
    return Face(pixels.astype(np.float32), np.zeros(52, np.float32), (400, 300))


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_the_exported_graph_answers_as_torch(exported: tuple[RegressorNet, Path], head: HeadModel, backend: str) -> None:
    network, folder = exported
    crop = np.random.default_rng(1).integers(0, 255, (SIZE, SIZE, 3), np.uint8)
    z = NetworkRegressor(head, folder, backend).look(crop)
    picture = torch.from_numpy(crop).permute(2, 0, 1)[None].float() / 127.5 - 1
    with torch.no_grad():
        wanted = Coefficients.from_vector(network(picture)[0].numpy())
    np.testing.assert_allclose(z.pose, wanted.pose, atol=1e-4)
    np.testing.assert_allclose(z.identity, wanted.identity, atol=1e-4)
    np.testing.assert_allclose(z.expression[:52], wanted.expression[:52].clip(0, 1), atol=1e-4)


def test_the_pose_is_that_of_the_square_which_is_asked_for(
    exported: tuple[RegressorNet, Path], head: HeadModel, face: Face
) -> None:
    regressor = NetworkRegressor(head, exported[1])
    squares = [Square(180.0, 150.0, 240.0), Square(210.0, 140.0, 300.0), crop_of(face)]
    seen = []
    for square in squares:
        regressor.meet(NOISE, face, square)
        z = regressor.regress(NOISE, face, square)
        points = head.landmarks(head.shape(z.identity, z.expression, np.zeros(4, np.float32)))
        seen.append(square.to_pixels(project(place(points, z.pose))[:, :2]))
    np.testing.assert_allclose(seen[1], seen[0], atol=1.0)
    np.testing.assert_allclose(seen[2], seen[0], atol=1.0)


def test_the_crop_stays_while_the_face_hardly_moves() -> None:
    crop = Square(100.0, 100.0, 200.0)
    assert steadied(None, crop) is crop
    assert steadied(crop, Square(102.0, 99.0, 204.0)) is crop
    for moved in (Square(110.0, 100.0, 200.0), Square(100.0, 100.0, 220.0)):
        assert steadied(crop, moved) is moved


def test_cutting_from_what_is_nearby_gives_the_same_crop() -> None:
    picture = cv2.GaussianBlur(np.random.default_rng(2).integers(0, 255, (300, 400, 3), np.uint8), (0, 0), 3)
    for square in (Square(200.0, 150.0, 160.0), Square(30.0, 280.0, 120.0)):
        near = cut(*nearby(picture, square), 64).astype(int)
        assert np.abs(near - cut(picture, square, 64)).max() <= 3


def _copy(folder: Path, to: Path) -> Path:
    for name in (GRAPH, MANIFEST):
        (to / name).write_bytes((folder / name).read_bytes())
    return to


def _change(folder: Path, **values: object) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, **values}))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"format": 9}, "format 9"),
        ({"head_sha256": "0"}, "is not the head model that the regressor"),
        ({"sha256": "0"}, "damaged"),
        ({"size_px": "many"}, "not a regressor's manifest"),
        ({"share": [0.5]}, "261 numbers in 0…1"),
        ({"share": [1.5] * 261}, "261 numbers in 0…1"),
    ],
)
def test_a_folder_that_does_not_fit_is_refused(
    exported: tuple[RegressorNet, Path], tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    folder = _copy(exported[1], tmp_path)
    _change(folder, **change)
    with pytest.raises(AssetError, match=complaint):
        read_regressor(folder)


def test_a_missing_network_names_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="choose the landmark regressor"):
        read_regressor(tmp_path)


def test_a_wrong_answer_in_the_self_test_is_refused(exported: tuple[RegressorNet, Path], head: HeadModel, tmp_path: Path) -> None:
    folder = _copy(exported[1], tmp_path)
    _change(folder, self_test=[9.0] * 64)
    with pytest.raises(AssetError, match="self-test"):
        NetworkRegressor(head, folder)


def test_both_take_of_each_what_the_manifest_says(exported: tuple[RegressorNet, Path], head: HeadModel, face: Face) -> None:
    square = Square(180.0, 150.0, 240.0)
    open_network = partial(NetworkRegressor, head, exported[1])
    regressors: list[Regressor] = [LandmarkRegressor(head), open_network(), JointRegressor(head, open_network())]
    for regressor in regressors:
        regressor.meet(NOISE, face, square)
    landmarks, network, both = (regressor.regress(NOISE, face, square).vector() for regressor in regressors)
    np.testing.assert_allclose(both[BLINKS], network[BLINKS], atol=1e-6)
    np.testing.assert_allclose(both[GAZE], (landmarks[GAZE] + network[GAZE]) / 2, atol=1e-6)
    untouched = np.ones(COEFFICIENTS, bool)
    untouched[BLINKS] = untouched[GAZE] = False
    assert np.array_equal(both[untouched], landmarks[untouched])
    assert not np.allclose(landmarks[GAZE], network[GAZE])


def test_between_two_looks_the_difference_stays(exported: tuple[RegressorNet, Path], head: HeadModel, face: Face) -> None:
    """A frame without a look follows the landmarks; the next look sees what has changed."""
    square = Square(180.0, 150.0, 240.0)
    scores = np.full(52, 0.2, np.float32)
    scores[LIDS] = face.blendshapes[LIDS]
    second = Face(face.landmarks, scores, face.size)
    seen_in = ((NOISE, face), (DARK, second), (DARK, second))
    both, landmarks = JointRegressor(head, NetworkRegressor(head, exported[1])), LandmarkRegressor(head)
    both.meet(NOISE, face, square)
    landmarks.meet(NOISE, face, square)
    seen = [both.regress(image, one, square).vector() for image, one in seen_in]
    bare = [landmarks.regress(image, one, square).vector() for image, one in seen_in]
    np.testing.assert_allclose(seen[1] - bare[1], seen[0] - bare[0], atol=1e-5)
    assert np.abs((seen[2] - bare[2]) - (seen[0] - bare[0])).max() > 1e-3


def test_the_network_looks_at_once_when_lids_move(exported: tuple[RegressorNet, Path], head: HeadModel, face: Face) -> None:
    """The second frame of two: held while lids rest, seen anew when they fall."""
    square = Square(180.0, 150.0, 240.0)
    shut = face.blendshapes.copy()
    shut[LIDS] = 0.6
    for scores, anew in ((face.blendshapes, False), (shut, True)):
        second = Face(face.landmarks, scores, face.size)
        both, landmarks = JointRegressor(head, NetworkRegressor(head, exported[1])), LandmarkRegressor(head)
        both.meet(NOISE, face, square)
        landmarks.meet(NOISE, face, square)
        differences = [
            both.regress(image, one, square).vector() - landmarks.regress(image, one, square).vector()
            for image, one in ((NOISE, face), (DARK, second))
        ]
        assert (np.abs(differences[1] - differences[0]).max() > 1e-3) == anew


def test_the_switch_opens_what_it_names(head: HeadModel) -> None:
    for name, kind in (("landmarks", LandmarkRegressor), ("network", NetworkRegressor), ("both", JointRegressor)):
        assert isinstance(open_regressor(name, head), kind)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="landmarks, network, both, auto"):
        open_regressor("guess", head)  # type: ignore[arg-type]
