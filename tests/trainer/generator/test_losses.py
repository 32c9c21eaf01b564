"""Each term: its value where it is known, and gradients that agree with differences."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from engine.head import HeadModel
from engine.values import EXPRESSION_NAMES, Coefficients
from trainer.generator.discriminator import Discriminator
from trainer.generator.losses import discrimination, gradient_penalty, mesh_distance, non_saturating, reconstruction, restraint
from trainer.generator.perceptual import Perceptual
from trainer.regressor.geometry import HeadGeometry

EXPRESSION = 80  # where β begins in z


def agrees(function: Callable[[Tensor], Tensor], at: Tensor, step: float = 1e-3) -> bool:
    """Whether the gradient of a sum agrees with central differences along a random direction."""
    x = at.clone().requires_grad_()
    function(x).sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    direction = torch.randn(at.shape, generator=torch.Generator().manual_seed(1), dtype=at.dtype)
    with torch.no_grad():
        difference = (function(at + step * direction).sum() - function(at - step * direction).sum()) / (2 * step)
    return bool(torch.isclose((x.grad * direction).sum(), difference, rtol=2e-2, atol=1e-4))


def pictures(seed: int, size: int = 16) -> Tensor:
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1


def test_reconstruction_is_a_weighted_mean() -> None:
    a, b = torch.zeros(2, 3, 4, 4), torch.zeros(2, 3, 4, 4)
    a[0, :, 0, 0] = 1.0
    weight = torch.ones(2, 1, 4, 4)
    assert torch.allclose(reconstruction(a, b, weight), torch.tensor([1 / 16, 0.0]))
    weight[0, 0, 0, 0] = 5.0
    assert torch.allclose(reconstruction(a, b, weight), torch.tensor([5 / 20, 0.0]))
    assert agrees(lambda x: reconstruction(x, pictures(1), torch.ones(2, 1, 16, 16, dtype=torch.float64)), pictures(0), 1e-6)


def test_restraint_counts_what_is_replaced() -> None:
    mask = torch.zeros(2, 1, 4, 4, dtype=torch.float64)
    mask[1, 0, :2] = 0.5
    assert restraint(mask).tolist() == [0, 0.25]
    assert agrees(restraint, mask)


def test_the_adversaries_want_opposite_things() -> None:
    logits = torch.tensor([-1.0, 0.0, 2.0])
    assert torch.all(non_saturating(logits).diff() < 0)  # the generator wants high logits for its pictures
    assert torch.all(discrimination(logits, real=False).diff() > 0)
    assert torch.equal(discrimination(logits, real=True), non_saturating(logits))
    assert float(discrimination(torch.zeros(1), real=True)) == pytest.approx(0.6931, abs=1e-4)
    assert agrees(non_saturating, logits.double())
    assert agrees(lambda x: discrimination(x, real=False), logits.double())


def test_the_gradient_penalty_of_a_plane_is_its_slope() -> None:
    slope = torch.arange(12.0).reshape(3, 2, 2)
    real = torch.zeros(2, 3, 2, 2, requires_grad=True)
    penalty = gradient_penalty((real * slope).sum((1, 2, 3)), real)
    assert torch.allclose(penalty, torch.full((2,), 0.5 * float((slope**2).sum())))


def test_the_gradient_penalty_reaches_the_discriminator() -> None:
    net = Discriminator(16, 4, 8)
    real = pictures(2).float().requires_grad_()
    gradient_penalty(net(real), real).sum().backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for name, p in net.named_parameters() if "weight" in name)


def test_the_mesh_term_knows_poses_and_expressions_but_not_who(head: HeadModel) -> None:
    geometry = HeadGeometry(head).double()
    wanted = torch.from_numpy(Coefficients.neutral().vector()).double()[None].repeat(2, 1)
    assert float(mesh_distance(geometry, wanted, wanted).max()) < 1e-3
    somebody = wanted.clone()
    somebody[:, :80] += 1
    assert float(mesh_distance(geometry, somebody, wanted).max()) < 1e-3
    jaw = wanted.clone()
    place = EXPRESSION + EXPRESSION_NAMES.index("jawOpen")
    jaw[0, place], jaw[1, place] = 0.3, 0.6
    near, far = mesh_distance(geometry, jaw, wanted).tolist()
    assert 1e-3 < near < far
    assert agrees(lambda z: mesh_distance(geometry, z, wanted), jaw, 1e-5)


def test_the_perceptual_distance_is_a_distance_and_can_look_at_a_part() -> None:
    torch.manual_seed(0)
    net = Perceptual(None).double()
    a, b = pictures(3, 64), pictures(4, 64)
    assert torch.all(net(a, a) == 0)
    assert torch.allclose(net(a, b), net(b, a))
    assert torch.all(net(a, b) > 0)
    left = torch.zeros(2, 1, 64, 64, dtype=torch.float64)
    left[..., :16] = 1
    mixed = torch.cat([a[..., :48], b[..., 48:]], 3)
    assert torch.all(net(a, mixed, left) < net(a, mixed, left.flip(3)))
    assert agrees(lambda x: net(x, b), a, 1e-6)


def test_a_picture_is_judged_with_its_own_four_only() -> None:
    torch.manual_seed(0)
    net = Discriminator(16, 4, 8, fold=2)
    eight = torch.cat([pictures(k).float() for k in range(4)])
    assert torch.allclose(net(eight), torch.cat([net(eight[:4]), net(eight[4:])]), atol=1e-6)
