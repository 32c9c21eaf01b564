"""Training the regressor, as a recipe. A run is a folder: last.pt (to go on), best weights for export, curves for TensorBoard."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from engine.errors import ConfigError
from engine.head import HeadModel
from trainer.identity import open_identity
from trainer.regressor.batches import Batch, Mixture
from trainer.regressor.config import RegressorConfig
from trainer.regressor.losses import weighted_sum
from trainer.regressor.network import RegressorNet
from trainer.regressor.objective import Objective
from trainer.training.average import Average
from trainer.training.checkpoint import Checkpoint, load_checkpoint, require_same, save_checkpoint
from trainer.training.curves import Curves
from trainer.training.distributed import Team
from trainer.training.diverged import diverged
from trainer.training.progress import RunProgress, due
from trainer.training.schedule import learning_rate

LAST = "last.pt"


class Training:
    """Network, its average, optimiser and the images seen: everything that a checkpoint holds."""

    def __init__(self, network: RegressorNet, config: RegressorConfig, team: Team) -> None:
        if config.batch % team.size:
            raise ConfigError(f"The batch of {config.batch} cannot be shared by {team.size} processes: take a multiple.")
        self.config, self.team, self.images = config, team, 0
        network.backbone.freeze(config.frozen_blocks)
        # about a quarter faster on CPUs, and what tensor cores want
        self.network = network.to(team.device)
        nn.utils.convert_conv2d_weight_memory_format(self.network, torch.channels_last)
        self.average = Average(self.network, config.half_life)
        self.trained = [p for p in self.network.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(self.trained, lr=config.rate, weight_decay=1e-4)

    def step(self, batch: Batch, loss: Objective) -> dict[str, float]:
        """One step; returns the mean of each term over all processes. Raises DivergedError and changes nothing on NaN."""
        config = self.config
        decay_from = round(config.images * (1 - config.decay))
        rate = learning_rate(config.rate, self.images, warm_up=config.warm_up, decay_from=decay_from, total=config.images)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        terms = loss(self.network(batch.pictures), batch)
        total = weighted_sum(terms, config.weights)
        total.backward()  # type: ignore[no-untyped-call]
        self.team.average_gradients(self.trained)
        norm = nn.utils.clip_grad_norm_(self.trained, config.gradient_norm)
        means = self.team.average(torch.stack([total.detach(), *(t.detach().mean() for t in terms.values())]))
        if not bool(torch.isfinite(means).all() & torch.isfinite(norm)):
            raise diverged(self.images, batch.names, dict(zip(["total", *terms], means.tolist(), strict=True)))
        self.optimiser.step()
        self.images += config.batch
        self.average.follow(self.network, config.batch, self.images)
        return {**dict(zip(["total", *terms], means.tolist(), strict=True)), "rate": rate, "gradient_norm": float(norm)}

    def save(self, path: Path) -> None:
        """Writes everything that is needed to go on exactly."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        save_checkpoint(path, Checkpoint(self.config.fingerprint(), self.images, state))

    def resume(self, path: Path) -> None:
        """Goes on as if it had never stopped. Raises ConfigError when the checkpoint is of another configuration."""
        checkpoint = load_checkpoint(path)
        require_same(checkpoint.configuration, self.config.fingerprint(), path)
        self.network.load_state_dict(checkpoint.state["network"])
        self.average.network.load_state_dict(checkpoint.state["average"])
        self.optimiser.load_state_dict(checkpoint.state["optimiser"])
        self.images = checkpoint.images


def train(training: Training, mixture: Mixture, head: HeadModel, folder: Path) -> None:
    """Trains until ``config.images``, from the folder's last checkpoint if there is one."""
    config, team = training.config, training.team
    if config.threads:
        torch.set_num_threads(config.threads)
    identity = open_identity(Path(config.identity)) if config.identity else None
    loss = Objective(head, config.weights, identity).to(team.device)

    # Go on where the run stopped.
    last = folder / LAST
    if last.exists():
        training.resume(last)

    progress = RunProgress(config.images, training.images, shown=team.leads)
    with Curves(folder if team.leads else None) as curves, progress as tick:
        while training.images < config.images:
            # One step on this process's part of the batch.
            batch = mixture.batch(training.images, config.batch, team.share(config.batch)).to(team.device)
            terms = training.step(batch, loss)
            tick(training.images, terms["total"])

            # Curves, pictures, checkpoint.
            if due(training.images, config.report_every, config.batch):
                curves.add(terms, training.images)
            if due(training.images, config.checkpoint_every, config.batch) and team.leads:
                curves.show(_grid(training, batch, loss), training.images)
                training.save(last)
    if team.leads:
        training.save(last)


def load_average(path: Path) -> RegressorNet:
    """The averaged network of a checkpoint, ready to be judged or exported. Raises InputError."""
    checkpoint = load_checkpoint(path)
    network = RegressorNet(checkpoint.configuration["backbone"], checkpoint.configuration["size"])
    network.load_state_dict(checkpoint.state["average"])
    return network.eval().requires_grad_(False)


def _grid(training: Training, batch: Batch, loss: Objective) -> Tensor:
    """(3, H, W) 0…1: up to eight pictures, green dots where the landmarks are, red ones where the average sees them."""
    from trainer.regressor.pictures import landmark_grid  # here, because only the leading process draws

    with torch.no_grad():
        points, _ = loss.supervised.geometry(training.average.network(batch.pictures[:8]))
    return landmark_grid(batch.pictures[:8], batch.targets.landmarks[:8], points)
