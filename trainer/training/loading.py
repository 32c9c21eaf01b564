"""Loading batches ahead of the training, by torch's ``DataLoader``: which examples a step sees depends on the seed and the images
seen so far, on nothing else, neither the number of workers nor where a run was stopped."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, Self, TypeVar

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from engine.errors import HifiHeadError

MOST_WORKERS = 8  # for each process that trains on a GPU
AHEAD = 2  # batches that a worker loads before they are asked for
END_SECONDS = 1.0  # between a connection that is lost and the end of the process behind it

Draw = TypeVar("Draw")
Example = TypeVar("Example")
BatchT = TypeVar("BatchT", bound="TensorBatch")
Value = TypeVar("Value")


class TensorBatch:
    """Base of a batch: a dataclass of tensors, and of dataclasses of tensors."""

    def to(self, device: torch.device) -> Self:
        """The same on another device; from pinned memory the copy does not wait."""
        return mapped(self, lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> Self:
        """The same in memory that a GPU can copy from by itself; ``DataLoader`` calls it."""
        return mapped(self, lambda tensor: tensor.pin_memory())


class ExampleMixture(Dataset[Example], Generic[Draw, Example, BatchT]):
    """Sets of examples, drawn from with fixed shares: a draw names an example and all that is random about it."""

    @abstractmethod
    def __getitem__(self, draw: Draw) -> Example:
        """The example of a draw, augmented."""

    @abstractmethod
    def collate(self, examples: Sequence[Example]) -> BatchT:
        """Examples as tensors."""

    def load(self, draws: Sequence[Draw]) -> BatchT:
        """The batch of some draws."""
        return self.collate([self[draw] for draw in draws])


def mapped(value: Value, change: Callable[[Tensor], Tensor]) -> Value:
    """The same value with all its tensors changed."""
    if isinstance(value, Tensor):
        return change(value)  # type: ignore[return-value]
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{field.name: mapped(getattr(value, field.name), change) for field in fields(value)})
    return value


def default_workers(device: torch.device, processes: int) -> int:
    """How many processes load for each that trains: one on a CPU, which trains on all cores; on a GPU what the cores allow."""
    if device.type == "cpu":
        return 1
    return min(MOST_WORKERS, max(1, (os.cpu_count() or 1) // processes - 1))


@contextmanager
def loading(
    mixture: ExampleMixture[Draw, Example, BatchT], steps: Iterator[list[Draw]], workers: int, device: torch.device
) -> Iterator[Iterator[BatchT]]:
    """The batches of ``steps``, one after another, loaded ahead by so many processes; 0: by this one, when they are asked for.

    Raises what loading an example raises, and HifiHeadError when a worker was ended from outside.
    """
    loader: DataLoader[Any] = DataLoader(
        _Guarded(mixture),
        batch_sampler=_Steps(steps),
        num_workers=workers,
        collate_fn=_GuardedCollate(mixture),
        pin_memory=device.type == "cuda",
        # spawned, not forked: the threads of torch, OpenCV and numba do not survive a fork
        multiprocessing_context="spawn" if workers else None,
        prefetch_factor=AHEAD if workers else None,
        worker_init_fn=_begin,
    )
    batches = iter(loader)
    try:
        yield _raising(batches, batches._workers if workers else ())  # type: ignore[attr-defined]
    finally:
        if workers:
            batches._shutdown_workers()  # type: ignore[attr-defined]  # otherwise they end when the last reference does


class _Steps:
    """What ``DataLoader`` takes for a sampler of batches: each is a list of draws."""

    def __init__(self, steps: Iterator[list[Any]]) -> None:
        self._steps = steps

    def __iter__(self) -> Iterator[list[Any]]:
        return self._steps


class _Guarded(Dataset[Any]):
    """Errors of ours are handed on as values: ``DataLoader`` would wrap their sentence into a worker's traceback."""

    def __init__(self, mixture: ExampleMixture[Any, Any, Any]) -> None:
        self._mixture = mixture

    def __getitem__(self, draw: Any) -> Any:
        try:
            return self._mixture[draw]
        except HifiHeadError as error:
            return error


class _GuardedCollate:
    """Collates examples, or hands on the first error among them."""

    def __init__(self, mixture: ExampleMixture[Any, Any, Any]) -> None:
        self._mixture = mixture

    def __call__(self, examples: list[Any]) -> Any:
        return next((one for one in examples if isinstance(one, HifiHeadError)), None) or self._mixture.collate(examples)


def _raising(batches: Iterator[Any], workers: Sequence[BaseProcess]) -> Iterator[Any]:
    while True:
        try:
            batch = next(batches)
        except StopIteration:
            return
        except Exception as error:
            # a worker's own error comes while all live; one that was ended shows as a lost connection, file or worker
            if not _ended(workers):
                raise
            raise HifiHeadError(
                "A process that loads batches was ended from outside, for lack of memory or of shared memory (/dev/shm): set "
                "workers = 0, or give the machine or the container more."
            ) from error
        if isinstance(batch, HifiHeadError):
            raise batch
        yield batch


def _ended(workers: Sequence[BaseProcess]) -> bool:
    """Whether one of the processes has ended, or does within a second."""
    return bool(workers) and bool(wait([worker.sentinel for worker in workers], timeout=END_SECONDS))


def _begin(number: int) -> None:
    cv2.setNumThreads(1)
