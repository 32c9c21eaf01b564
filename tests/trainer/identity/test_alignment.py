"""Chips: the same face, wherever and however large it is in the picture."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.conventions import pixel_grid
from engine.landmark_indices import ALIGNMENT_POINTS
from trainer.identity import points_of
from trainer.identity.alignment import cut_chips, similarity

TEMPLATE = torch.tensor([[-0.5, -0.3], [-0.2, -0.25], [0.2, -0.25], [0.5, -0.3], [0.0, 0.3]])


def moved(points: Tensor, angle: float, scale: float, shift: tuple[float, float]) -> Tensor:
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return points @ (scale * turn).T + torch.tensor(shift)


def waves(size: int) -> Tensor:
    """(1, 3, size, size) a smooth picture."""
    x, y = torch.from_numpy(pixel_grid(size)).unbind(-1)
    return torch.stack([torch.sin(5 * x + y), torch.cos(4 * y), torch.sin(3 * x * y)])[None]


def test_the_points_are_taken_from_the_landmarks() -> None:
    landmarks = torch.arange(2 * 478 * 2).reshape(2, 478, 2).float()
    assert torch.equal(points_of(landmarks)[1, 4], landmarks[1, ALIGNMENT_POINTS[4]])


def test_the_transform_is_found_exactly_when_there_is_one() -> None:
    points = torch.stack([moved(TEMPLATE, 0.4, 0.7, (0.2, -0.1)), moved(TEMPLATE, -1.2, 1.3, (0, 0.3))])
    found = similarity(TEMPLATE, points)
    there = TEMPLATE @ found[:, :, :2].transpose(1, 2) + found[:, None, :, 2]
    torch.testing.assert_close(there, points)


def test_a_turned_and_smaller_face_gives_the_same_chip() -> None:
    """The chip of a picture seen through a transform is the picture's at the transformed places."""
    angle, scale, shift = 0.3, 0.5, (0.1, -0.2)
    chip = cut_chips(waves(256), moved(TEMPLATE, angle, scale, shift)[None], TEMPLATE, 32)
    places = moved(torch.from_numpy(pixel_grid(32)).reshape(-1, 2), angle, scale, shift)
    x, y = places.T.reshape(2, 32, 32)
    wanted = torch.stack([torch.sin(5 * x + y), torch.cos(4 * y), torch.sin(3 * x * y)])
    assert float((chip[0] - wanted).abs().max()) < 0.01


def test_a_chip_smaller_than_the_picture_averages() -> None:
    """Of black and white pixels in turn, grey is left, not a pattern."""
    board = (torch.arange(256)[:, None] + torch.arange(256)) % 2 * 2.0 - 1
    chip = cut_chips(board.expand(1, 3, 256, 256), TEMPLATE[None], TEMPLATE, 64)
    assert float(chip.abs().max()) < 0.05


def test_the_gradient_is_the_finite_difference() -> None:
    pictures, points = waves(24).double().requires_grad_(), moved(TEMPLATE, 0.2, 0.8, (0, 0))[None].double()
    assert torch.autograd.gradcheck(lambda p: cut_chips(p, points, TEMPLATE.double(), 8), pictures, fast_mode=True)
