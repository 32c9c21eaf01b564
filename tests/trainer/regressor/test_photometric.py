"""The photometric term knows the truth and has a gradient toward it in every group."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.head import HeadModel
from engine.render.lighting import harmonics as harmonics_numpy
from tests.trainer.regressor.conftest import make_example
from trainer.regressor.examples import Example
from trainer.regressor.geometry import GROUPS, split
from trainer.regressor.photometric import PhotometricLoss, harmonics, regularisation


@pytest.fixture(scope="module")
def example(head: HeadModel) -> Example:
    return make_example(head, 3, 128)


@pytest.fixture(scope="module")
def picture(example: Example) -> torch.Tensor:
    return torch.from_numpy(example.image).permute(2, 0, 1)[None].float() / 127.5 - 1


def test_harmonics_equal_the_engines() -> None:
    normals = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    np.testing.assert_allclose(harmonics(torch.from_numpy(normals)).numpy(), harmonics_numpy(normals), atol=1e-6)


def test_the_truth_renders_as_the_picture(head: HeadModel, example: Example, picture: torch.Tensor) -> None:
    loss, z = PhotometricLoss(head, 64), torch.from_numpy(example.z)[None]
    at_truth = float(loss(z, picture))
    assert at_truth < 0.03
    assert float(loss(z, picture * 0)) > 3 * at_truth


def test_every_group_but_gaze_has_a_gradient(head: HeadModel, example: Example, picture: torch.Tensor) -> None:
    z = (torch.from_numpy(example.z)[None] + 0.05).requires_grad_()
    PhotometricLoss(head, 48)(z, picture).sum().backward()
    assert z.grad is not None
    reached = {name: bool((part != 0).any()) for name, part in split(z.grad).items()}
    assert reached == {name: name != "gaze" for name in GROUPS}


def test_descending_it_finds_the_light(head: HeadModel, example: Example, picture: torch.Tensor) -> None:
    loss, z = PhotometricLoss(head, 48), torch.from_numpy(example.z.copy())[None]
    z[0, 224:251] += 0.1 * torch.from_numpy(np.random.default_rng(0).standard_normal(27).astype(np.float32))
    before = float(loss(z, picture))
    z.requires_grad_()
    optimiser = torch.optim.Adam([z], lr=0.02)
    for _ in range(15):
        optimiser.zero_grad()
        loss(z, picture).sum().backward()
        assert z.grad is not None
        z.grad[:, :224] = 0
        z.grad[:, 251:] = 0
        optimiser.step()
    assert float(loss(z.detach(), picture)) < 0.5 * before


def test_regularisation_is_nothing_for_the_mean_person_at_rest_under_grey_light() -> None:
    z = torch.zeros(2, 261)
    z[:, 224:227] = 1
    assert all(float(term.abs().max()) == 0 for term in regularisation(z).values())
    z[0, 80] = 1.5
    assert float(regularisation(z)["beyond_expression"][0]) == pytest.approx(0.5)
