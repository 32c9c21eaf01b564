"""Loading ahead: batches come in order and are the same for any number of workers; errors keep their sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from engine.errors import HifiHeadError, InputError
from trainer.training.loading import ExampleMixture, TensorBatch, default_workers, loading

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Inner:
    """Tensors one level deeper."""

    doubled: Tensor


@dataclass(frozen=True)
class Numbers(TensorBatch):
    """A batch of numbers."""

    values: Tensor
    inner: Inner
    names: tuple[str, ...]


class Squares(ExampleMixture[int, int, Numbers]):
    """The square of a draw; draw 13 is damaged."""

    def __getitem__(self, draw: int) -> int:
        if draw == 13:
            raise InputError("The number 13 is damaged: delete it.")
        return draw * draw

    def collate(self, examples: Sequence[int]) -> Numbers:
        values = torch.tensor(examples)
        return Numbers(values, Inner(2 * values), tuple(map(str, examples)))


def steps(count: int) -> Iterator[list[int]]:
    return iter([[2 * k, 2 * k + 1] for k in range(count)])


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_come_in_order(workers: int) -> None:
    with loading(Squares(), steps(6), workers, CPU) as batches:
        found = [batch.values.tolist() for batch in batches]
    assert found == [[4 * k * k, (2 * k + 1) ** 2] for k in range(6)]


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_keeps_its_sentence(workers: int) -> None:
    with loading(Squares(), steps(10), workers, CPU) as batches, pytest.raises(InputError) as caught:
        list(batches)
    assert str(caught.value) == "The number 13 is damaged: delete it."


def test_workers_end_when_the_loading_does() -> None:
    import multiprocessing

    before = set(multiprocessing.active_children())
    with loading(Squares(), steps(50), 1, CPU) as batches:
        next(batches)
        assert len(set(multiprocessing.active_children()) - before) == 1
    assert not set(multiprocessing.active_children()) - before


# when the worker ends while it hands a batch over, torch looks whether too many files are open, and leaves those that it opened
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.filterwarnings("ignore:Exception ignored in.*_io.FileIO:pytest.PytestUnraisableExceptionWarning")
def test_a_worker_that_is_ended_is_said() -> None:
    import multiprocessing

    before = set(multiprocessing.active_children())
    with loading(Squares(), steps(500), 1, CPU) as batches:
        next(batches)
        (worker,) = set(multiprocessing.active_children()) - before
        worker.kill()
        with pytest.raises(HifiHeadError, match="workers = 0"):
            list(batches)


def test_a_batch_moves_whole() -> None:
    batch = Squares().load([1, 2]).to(torch.device("meta"))
    assert batch.values.is_meta
    assert batch.inner.doubled.is_meta
    assert batch.names == ("1", "4")


def test_a_cpu_has_one_worker_and_a_gpu_several_but_not_all_cores() -> None:
    assert default_workers(CPU, 1) == 1
    assert 1 <= default_workers(torch.device("cuda", 0), 1) <= 8
