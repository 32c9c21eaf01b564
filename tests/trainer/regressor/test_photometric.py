"""The photometric term knows the truth and has a gradient toward it in every group."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.errors import ConfigError
from engine.head import HeadModel, load_head
from engine.render.lighting import harmonics as harmonics_numpy
from tests.trainer.regressor.conftest import make_example
from trainer.regressor.examples import GROUPS, Example
from trainer.regressor.geometry import split
from trainer.regressor.objective import RegressorObjective
from trainer.regressor.photometric import SelfSupervisedLoss, harmonics, regularisation


@pytest.fixture(scope="module")
def example(head: HeadModel) -> Example:
    return make_example(head, 3, 128)


@pytest.fixture(scope="module")
def picture(example: Example) -> torch.Tensor:
    return torch.from_numpy(example.image).permute(2, 0, 1)[None].float() / 127.5 - 1


@pytest.fixture(scope="module")
def landmarks(example: Example) -> torch.Tensor:
    return torch.from_numpy(example.landmarks)[None]


def test_harmonics_equal_the_engines() -> None:
    normals = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    np.testing.assert_allclose(harmonics(torch.from_numpy(normals)).numpy(), harmonics_numpy(normals), atol=1e-6)


def test_the_truth_renders_as_the_picture(
    head: HeadModel, example: Example, picture: torch.Tensor, landmarks: torch.Tensor
) -> None:
    loss, z = SelfSupervisedLoss(head, 64), torch.from_numpy(example.z)[None]
    at_truth = float(loss(z, picture, landmarks)["photometric"])
    assert at_truth < 0.03
    assert float(loss(z, picture * 0, landmarks)["photometric"]) > 3 * at_truth


def test_every_group_but_gaze_has_a_gradient(
    head: HeadModel, example: Example, picture: torch.Tensor, landmarks: torch.Tensor
) -> None:
    z = (torch.from_numpy(example.z)[None] + 0.05).requires_grad_()
    SelfSupervisedLoss(head, 48)(z, picture, landmarks)["photometric"].sum().backward()
    assert z.grad is not None
    reached = {name: bool((part != 0).any()) for name, part in split(z.grad).items()}
    assert reached == {name: name != "gaze" for name in GROUPS}


def test_descending_it_finds_the_light(head: HeadModel, example: Example, picture: torch.Tensor, landmarks: torch.Tensor) -> None:
    terms, z = SelfSupervisedLoss(head, 48), torch.from_numpy(example.z.copy())[None]
    z[0, 224:251] += 0.1 * torch.from_numpy(np.random.default_rng(0).standard_normal(27).astype(np.float32))
    before = float(terms(z, picture, landmarks)["photometric"])
    z.requires_grad_()
    optimiser = torch.optim.Adam([z], lr=0.02)
    for _ in range(15):
        optimiser.zero_grad()
        terms(z, picture, landmarks)["photometric"].sum().backward()
        assert z.grad is not None
        z.grad[:, :224] = 0
        z.grad[:, 251:] = 0
        optimiser.step()
    assert float(terms(z.detach(), picture, landmarks)["photometric"]) < 0.5 * before


def test_regularisation_is_nothing_for_the_mean_person_at_rest_under_grey_light() -> None:
    z = torch.zeros(2, 261)
    z[:, 224:227] = 1
    assert all(float(term.abs().max()) == 0 for term in regularisation(z).values())
    z[0, 80] = 1.5
    assert float(regularisation(z)["beyond_expression"][0]) == pytest.approx(0.5)


def test_the_perceptual_term_sees_the_rendered_person(
    head: HeadModel, example: Example, picture: torch.Tensor, landmarks: torch.Tensor
) -> None:
    """With a stand-in for the features: the picture itself."""
    loss = SelfSupervisedLoss(head, 32, embed=lambda pictures, points: (pictures * points.std()).flatten(1))
    z = torch.from_numpy(example.z)[None].requires_grad_()
    alike = loss(z, picture, landmarks)["perceptual"]
    assert float(alike.detach()) < 0.05
    alike.sum().backward()
    assert z.grad is not None
    assert (split(z.grad)["texture"] != 0).any()
    other = z.detach().clone()
    other[:, 144:224] = 2
    assert float(loss(other, picture, landmarks)["perceptual"]) > float(alike.detach())


def test_a_head_out_of_sight_costs_nothing(
    head: HeadModel, example: Example, picture: torch.Tensor, landmarks: torch.Tensor
) -> None:
    z = torch.from_numpy(example.z.copy())[None]
    z[:, 254] = 9
    assert float(SelfSupervisedLoss(head, 32)(z, picture, landmarks)["photometric"]) == 0


def test_a_perceptual_weight_without_an_identity_network_is_refused() -> None:
    with pytest.raises(ConfigError, match="needs an identity network"):
        RegressorObjective(load_head(), {"perceptual": 0.2})
