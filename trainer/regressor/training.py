"""A regressor's training: the network, its optimiser, and one step (docs/regressor.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from engine.errors import ConfigError, InputError
from engine.regress.network import GRAPH
from trainer.regressor.batches import ExampleDraw, RegressorBatch, RegressorMixture
from trainer.regressor.losses import weighted_sum
from trainer.regressor.network import RegressorNet
from trainer.regressor.objective import RegressorObjective
from trainer.training.average import Average
from trainer.training.checkpoint import load_checkpoint
from trainer.training.distributed import ProcessGroup
from trainer.training.loop import NetworkTraining, diverged
from trainer.training.onnx_file import read_parameters

if TYPE_CHECKING:
    from trainer.regressor.config import RegressorConfig

GREEN, RED = (0, 255, 0), (255, 0, 0)
TILE_PX, PREVIEWED = 256, 8


class RegressorTraining(NetworkTraining["RegressorConfig", RegressorMixture, RegressorBatch, RegressorObjective]):
    """Network, its average, optimiser and the images seen: everything that a checkpoint holds."""

    def __init__(self, network: RegressorNet, config: RegressorConfig, group: ProcessGroup) -> None:
        if config.batch % group.size:
            raise ConfigError(f"The batch of {config.batch} cannot be shared by {group.size} processes: take a multiple.")
        super().__init__(config, group)
        network.backbone.freeze(config.frozen_blocks)
        # about a quarter faster on CPUs, and what tensor cores want
        self.network = network.to(group.device)
        nn.utils.convert_conv2d_weight_memory_format(self.network, torch.channels_last)
        self.average = Average(self.network, config.half_life)
        self.trained = [p for p in self.network.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(self.trained, lr=config.rate, weight_decay=1e-4)

    def draws(self, mixture: RegressorMixture, images: int, part: tuple[int, int]) -> list[ExampleDraw]:
        """See ``NetworkTraining``."""
        return mixture.draws(images, self.config.batch, part)

    def preview(self, batch: RegressorBatch, objective: RegressorObjective) -> Tensor:
        """Up to eight pictures, green dots where the landmarks are, red ones where the average sees them."""
        with torch.no_grad():
            points, _ = objective.supervised.geometry(self.average.network(batch.pictures[:PREVIEWED]))
        return landmark_grid(batch.pictures[:PREVIEWED], batch.targets.landmarks[:PREVIEWED], points)

    def step(self, parts: Sequence[RegressorBatch], objective: RegressorObjective) -> dict[str, float]:
        """One step; returns the mean of each term over all processes. Raises DivergedError and changes nothing on NaN."""
        config, (batch,) = self.config, parts
        rate = self.set_rate([self.optimiser])
        self.optimiser.zero_grad(set_to_none=True)
        terms = objective(self.network(batch.pictures), batch)
        total = weighted_sum(terms, config.weights)
        total.backward()  # type: ignore[no-untyped-call]
        self.group.average_gradients(self.trained)
        norm = nn.utils.clip_grad_norm_(self.trained, config.gradient_norm)
        means = self.group.average(torch.stack([total.detach(), *(t.detach().mean() for t in terms.values())]))
        if not bool(torch.isfinite(means).all() & torch.isfinite(norm)):
            raise diverged(self.images, batch.names, dict(zip(["total", *terms], means.tolist(), strict=True)))
        self.optimiser.step()
        self.images += config.batch
        self.average.follow(self.network, config.batch, self.images)
        return {**dict(zip(["total", *terms], means.tolist(), strict=True)), "rate": rate, "gradient_norm": float(norm)}

    def state(self) -> dict[str, Any]:
        """The network, its average and the optimiser."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """The inverse."""
        self.network.load_state_dict(state["network"])
        self.average.network.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])


def load_average(path: Path) -> RegressorNet:
    """The averaged network of a checkpoint, ready to be evaluated or exported. Raises InputError."""
    checkpoint = load_checkpoint(path)
    network = RegressorNet(checkpoint.configuration["backbone"], checkpoint.configuration["size"])
    network.load_state_dict(checkpoint.state["average"])
    return network.eval().requires_grad_(False)


def take_weights(network: RegressorNet, source: Path) -> None:
    """Gives a fresh network those of an exported one (its folder) or the averaged ones of a checkpoint (last.pt).

    Raises InputError when they are of another backbone or picture size.
    """
    state = read_parameters(source / GRAPH) if source.is_dir() else load_checkpoint(source).state["average"]
    try:
        network.load_state_dict(state)
    except (KeyError, RuntimeError) as error:
        raise InputError(
            f"{source} holds no regressor with the backbone and picture size of this run: give the folder of an exported "
            "network, or the last.pt of such a run."
        ) from error


def landmark_grid(pictures: Tensor, true: Tensor, predicted: Tensor) -> Tensor:
    """(N, 3, S, S) −1…1 and two times (N, 478, 2) → (3, 256, 256 N) 0…1: true points green, predicted ones red."""
    tiles = []
    for picture, green, red in zip(pictures.cpu(), true.cpu(), predicted.cpu(), strict=True):
        small = ((picture.permute(1, 2, 0).numpy() + 1) * 127.5).astype(np.uint8)
        tile = cv2.resize(small, (TILE_PX, TILE_PX), interpolation=cv2.INTER_LINEAR)
        for points, colour in ((green, GREEN), (red, RED)):
            for x, y in ((points.numpy() + 1) * TILE_PX / 2).clip(-1, TILE_PX).astype(int):
                cv2.circle(tile, (int(x), int(y)), 1, colour, -1)
        tiles.append(tile)
    return torch.from_numpy(np.concatenate(tiles, 1)).permute(2, 0, 1).float() / 255
