"""One process or many (``torchrun``): who am I, average the gradients. Results do not depend on the number of processes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class ProcessGroup:
    """The processes that train together. rank 0 writes; ``device`` is this process's own."""

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes checkpoints and curves."""
        return self.rank == 0

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Every process gets the mean gradient."""
        for gradient in (p.grad for p in parameters if p.grad is not None):
            self.average(gradient)

    def average(self, value: Tensor) -> Tensor:
        """The mean over the processes, in place."""
        if self.size > 1:
            dist.all_reduce(value)
            value /= self.size
        return value


@contextmanager
def process_group() -> Iterator[ProcessGroup]:
    """Joins the processes that ``torchrun`` started (nccl on GPUs, gloo on CPUs); alone without it."""
    size, local = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_RANK", "0"))
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", local) if cuda else torch.device("cpu")
    if size == 1:
        yield ProcessGroup(0, 1, device)
        return
    dist.init_process_group("nccl" if cuda else "gloo")
    try:
        yield ProcessGroup(dist.get_rank(), size, device)
    finally:
        dist.destroy_process_group()
