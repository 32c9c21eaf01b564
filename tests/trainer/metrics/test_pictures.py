"""Distances of pictures: zero for the same, and nothing is fetched unasked."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torchmetrics import Metric

from engine.errors import AssetError, InputError
from trainer.metrics.frechet import Lite0Features, frechet_distance
from trainer.metrics.motion import share_above, sorted_similarities
from trainer.metrics.pictures import ALEXNET, INCEPTION, open_fid, open_lpips, psnr


def pictures(count: int, seed: int) -> torch.Tensor:
    return torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_psnr_is_of_each_picture() -> None:
    true = torch.zeros(2, 3, 4, 4)
    found = true + torch.tensor([0.2, 0.02]).reshape(2, 1, 1, 1)
    known = torch.ones(2, 1, 4, 4)
    torch.testing.assert_close(psnr(found, true, known), torch.tensor([20.0, 40.0]))
    assert float(psnr(true, true, known)[0]) == float("inf")


def test_psnr_asks_only_about_what_is_known() -> None:
    true, known = torch.zeros(1, 3, 4, 4), torch.ones(1, 1, 4, 4)
    found = true + 0.2
    found[..., 0], known[..., 0] = 2.0, 0.0
    torch.testing.assert_close(psnr(found, true, known), torch.tensor([20.0]))


def test_the_frechet_distance_is_that_of_the_two_gaussians() -> None:
    """Against the formula with a symmetric root, Tr(A + B − 2 √(√A B √A)), and zero for one set."""
    x, y = (nn.functional.adaptive_avg_pool2d(p[:, 0], 2).flatten(1) for p in (pictures(40, 0), pictures(30, 1) * 0.5 + 0.1))
    found = frechet_distance(y.numpy(), x.numpy())
    x, y = x.double(), y.double()
    values, vectors = torch.linalg.eigh(torch.cov(x.T))
    root = vectors @ torch.diag(values.sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(root @ torch.cov(y.T) @ root).sqrt().sum()
    wanted = (x.mean(0) - y.mean(0)).square().sum() + torch.cov(x.T).trace() + torch.cov(y.T).trace() - 2 * cross
    assert found == pytest.approx(float(wanted), rel=1e-4)
    assert frechet_distance(x.float().numpy(), x.float().numpy()) == pytest.approx(0, abs=1e-6)


def test_the_features_are_one_vector_a_picture() -> None:
    assert Lite0Features(None)(pictures(2, 0)).shape == (2, Lite0Features.num_features)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "a.pth")
    with pytest.raises(InputError, match="another network"):
        Lite0Features(tmp_path / "a.pth")


@pytest.mark.parametrize(("door", "package"), [(open_lpips, "torchvision"), (open_fid, "torch_fidelity")])
def test_a_missing_package_is_named(door: Callable[[], Metric], package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(AssetError, match=f"needs the package {package}"):
        door()


@pytest.mark.parametrize(
    ("door", "package", "file"), [(open_lpips, "torchvision", ALEXNET), (open_fid, "torch_fidelity", INCEPTION)]
)
def test_missing_weights_are_not_fetched(
    door: Callable[[], Metric], package: str, file: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, package, types.ModuleType(package))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(AssetError, match=f"put {file} into"):
        door()


def test_pairs_keep_their_places_when_sorted() -> None:
    ours, theirs = np.array([0.9, 0.2, 0.5], np.float32), np.array([0.1, 0.3, 0.4], np.float32)
    found = sorted_similarities({"ours": ours, "theirs": theirs}, by="ours")
    assert found["ours"].tolist() == pytest.approx([0.2, 0.5, 0.9])
    assert found["theirs"].tolist() == pytest.approx([0.3, 0.4, 0.1])
    assert share_above(ours, theirs) == pytest.approx(2 / 3)
