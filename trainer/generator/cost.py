"""Counting what a network would compute and keep, without computing: on torch's "meta" device, which knows shapes only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Cost:
    """For each picture FLOP (a multiplication and an addition are two) and kept bytes; kept bytes that are the same for any."""

    flop: float
    kept_bytes: float
    fixed_bytes: float


def through(network: nn.Module, side: int) -> Cost:
    """A frozen network with a gradient to its picture."""
    network.requires_grad_(False)
    return measure(lambda count: backward(network(pictures(count, side).requires_grad_())))


def backward(output: Any) -> None:
    """From the sum of a tensor, or of all that a network gives."""
    parts = [output] if isinstance(output, Tensor) else list(output)
    torch.autograd.backward([part.sum() for part in parts])


def measure(run: Callable[[int], object]) -> Cost:
    """What a second picture adds to one; ``run`` takes so many pictures."""
    (one_flop, one), (two_flop, two) = _counted(run, 1), _counted(run, 2)
    return Cost(two_flop - one_flop, two - one, 2 * one - two)


def _counted(run: Callable[[int], object], count: int) -> tuple[float, float]:
    """FLOP, and bytes that autograd keeps, parameters left out."""
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(value: Tensor) -> Tensor:
        if not isinstance(value if value._base is None else value._base, nn.Parameter):
            storage = value.untyped_storage()
            kept[storage._cdata] = storage  # views share what they show
        return value

    with FlopCounterMode(display=False) as counter, torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
        run(count)
    return float(counter.get_total_flops()), float(sum(storage.nbytes() for storage in kept.values()))


def pictures(count: int, side: int) -> Tensor:
    """(count, 3, side, side) on the meta device."""
    return torch.zeros(count, 3, side, side, device="meta")
