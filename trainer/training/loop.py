"""The training of either network, as a recipe. A run is a folder: run.json, last.pt, samples/, curves.jsonl, tensorboard/."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from engine.errors import HifiHeadError
from trainer.data.sheets import save_sheet
from trainer.training.average import Average
from trainer.training.checkpoint import Checkpoint, load_checkpoint, require_same, save_checkpoint
from trainer.training.distributed import ProcessGroup
from trainer.training.loading import ExampleMixture, TensorBatch, default_workers, loading
from trainer.training.progress import RunProgress, TrainingCurves, due
from trainer.training.provenance import describe_run
from trainer.training.schedule import learning_rate

if TYPE_CHECKING:
    from trainer.training.config import TrainingConfig

LAST, SAMPLES = "last.pt", "samples"

ConfigT = TypeVar("ConfigT", bound="TrainingConfig")
MixtureT = TypeVar("MixtureT", bound=ExampleMixture[Any, Any, Any])
BatchT = TypeVar("BatchT", bound=TensorBatch)
ObjectiveT = TypeVar("ObjectiveT", bound=nn.Module)


class DivergedError(HifiHeadError):
    """The loss is no number any more."""


class NetworkTraining(ABC, Generic[ConfigT, MixtureT, BatchT, ObjectiveT]):
    """Everything that a checkpoint of a run holds, and one step of it.

    ``average``: of the network; ``parts``: batches that this process takes for one step.
    """

    average: Average[Any]
    parts = 1

    def __init__(self, config: ConfigT, group: ProcessGroup) -> None:
        self.config, self.group = config, group
        self.images, self.seconds = 0, 0.0

    @abstractmethod
    def draws(self, mixture: MixtureT, images: int, part: tuple[int, int]) -> list[Any]:
        """What the k-th of n ``part`` (k, n) of the batch after ``images`` is made of."""

    @abstractmethod
    def step(self, parts: Sequence[BatchT], objective: ObjectiveT) -> dict[str, float]:
        """One step on this process's parts of a batch; the mean of each term over all processes.

        Raises DivergedError, and changes nothing, when one is no number.
        """

    @abstractmethod
    def preview(self, batch: BatchT, objective: ObjectiveT) -> Tensor:
        """(3, H, W) 0…1: what the averaged network makes of a batch."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Names → state dictionaries."""

    @abstractmethod
    def load_state(self, state: Mapping[str, Any]) -> None:
        """The inverse of ``state``."""

    def save(self, path: Path) -> None:
        """Writes everything that is needed to go on exactly. Raises InputError."""
        save_checkpoint(path, Checkpoint(self.config.fingerprint(), self.images, {**self.state(), "seconds": self.seconds}))

    def resume(self, path: Path) -> None:
        """Goes on as if it had never stopped. Raises ConfigError when the checkpoint is of another configuration, InputError."""
        checkpoint = load_checkpoint(path)
        require_same(checkpoint.configuration, self.config.fingerprint(), path)
        self.load_state(checkpoint.state)
        self.images, self.seconds = checkpoint.images, checkpoint.state.get("seconds", 0.0)  # early runs did not count them

    def set_rate(self, optimisers: Iterable[torch.optim.Optimizer]) -> float:
        """Gives the optimisers this step's learning rate, and returns it."""
        config = self.config
        decay_from = round(config.images * (1 - config.decay))
        rate = learning_rate(config.rate, self.images, warm_up=config.warm_up, decay_from=decay_from, total=config.images)
        for group in (group for optimiser in optimisers for group in optimiser.param_groups):
            group["lr"] = rate
        return rate


def train(
    training: NetworkTraining[ConfigT, MixtureT, BatchT, ObjectiveT], mixture: MixtureT, objective: ObjectiveT, folder: Path
) -> None:
    """Trains until ``config.images``, from the folder's last checkpoint if there is one."""
    config, group = training.config, training.group
    if config.threads:
        torch.set_num_threads(config.threads)
    objective.to(group.device)

    # Go on where the run stopped.
    last = folder / LAST
    if last.exists():
        training.resume(last)
    if group.leads:
        describe_run(folder, {**config.fingerprint(), "images": config.images})

    workers = default_workers(group.device, group.size) if config.workers is None else config.workers
    progress = RunProgress(config.images, training.images, shown=group.leads)
    with (
        TrainingCurves(folder if group.leads else None) as curves,
        progress as tick,
        loading(mixture, draws_of(training, mixture), workers, group.device) as batches,
    ):
        while training.images < config.images:
            # One step on this process's parts of the batch; meanwhile the next ones are loaded.
            began_s = time.monotonic()
            parts = [next(batches).to(group.device) for _ in range(training.parts)]
            terms = training.step(parts, objective)
            training.seconds += time.monotonic() - began_s
            tick(training.images, terms["total"])

            # Curves, pictures, checkpoint.
            if due(training.images, config.report_every, config.batch):
                curves.add(terms, training.images)
            if due(training.images, config.pictures_every, config.batch) and group.leads:
                show(training.preview(parts[0], objective), training.images, curves, folder)
            if due(training.images, config.checkpoint_every, config.batch) and group.leads:
                training.save(last)
    if group.leads:
        training.save(last)


def draws_of(training: NetworkTraining[Any, MixtureT, Any, Any], mixture: MixtureT) -> Iterator[list[Any]]:
    """The draws of this process's parts of all batches that are left, in order."""
    config, group = training.config, training.group
    for images in range(training.images, config.images, config.batch):
        for part in range(group.rank * training.parts, (group.rank + 1) * training.parts):
            yield training.draws(mixture, images, (part, group.size * training.parts))


def show(picture: Tensor, images: int, curves: TrainingCurves, folder: Path) -> None:
    """A (3, H, W) picture 0…1, for TensorBoard and as a file."""
    curves.show(picture, images)
    levels = (picture.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    save_sheet([levels], folder / SAMPLES / f"{images:08d}.jpg")


def diverged(images: int, names: Sequence[str], terms: Mapping[str, float]) -> DivergedError:
    """The error for a step after ``images`` on the examples ``names``, whose terms are given."""
    wrong = [name for name, value in terms.items() if not math.isfinite(value)]
    return DivergedError(
        f"The loss is not finite after {images} images (terms: {', '.join(wrong) or 'the gradient'}; "
        f"examples: {', '.join(names[:4])}, …). The last checkpoint is kept: lower the rate or look at these examples."
    )
