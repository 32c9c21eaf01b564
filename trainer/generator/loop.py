"""Training the generator, as a recipe. A run is a folder: run.json, last.pt, samples/, curves.jsonl, tensorboard/."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import torch

from engine.generator.far import FarGenerator
from engine.generator.variants import VARIANTS, Variant
from trainer.data.report import save_sheet
from trainer.generator.batches import Batch, Mixture
from trainer.generator.config import GeneratorConfig
from trainer.generator.objective import Objective
from trainer.generator.pictures import grid
from trainer.generator.run import Training
from trainer.training.checkpoint import load_checkpoint
from trainer.training.curves import Curves
from trainer.training.progress import RunProgress, due

LAST, ABOUT, SAMPLES = "last.pt", "run.json", "samples"
ROWS = 6  # of a grid of pictures


def variant_of(name: str, *, flow: bool) -> Variant:
    """The variant that is trained; without ``flow`` it is the paper's ablation A."""
    return VARIANTS[name] if flow else replace(VARIANTS[name], flow=False, flow_prior=False)


def train(training: Training, mixture: Mixture, objective: Objective, folder: Path) -> None:
    """Trains until ``config.images``, from the folder's last checkpoint if there is one."""
    config, team = training.config, training.team
    if config.threads:
        torch.set_num_threads(config.threads)
    objective.to(team.device)

    # Go on where the run stopped.
    last = folder / LAST
    if last.exists():
        training.resume(last)
    if team.leads:
        describe(config, folder)

    progress = RunProgress(config.images, training.images, shown=team.leads)
    with Curves(folder if team.leads else None) as curves, progress as tick:
        while training.images < config.images:
            # One step on this process's parts of the batch.
            count = team.size * config.accumulate
            mine = [
                mixture.batch(training.images, config.batch, config.cross, (team.rank * config.accumulate + k, count))
                for k in range(config.accumulate)
            ]
            parts = [part.to(team.device) for part in mine]
            terms = training.step(parts, objective)
            tick(training.images, terms["total"])

            # Curves, pictures, checkpoint.
            if due(training.images, config.report_every, config.batch):
                curves.add(terms, training.images)
            if due(training.images, config.pictures_every, config.batch) and team.leads:
                show(training, parts[0], curves, folder)
            if due(training.images, config.checkpoint_every, config.batch) and team.leads:
                training.save(last)
    if team.leads:
        training.save(last)


def show(training: Training, batch: Batch, curves: Curves, folder: Path) -> None:
    """A grid of pictures of the averaged generator, for TensorBoard and as a file."""
    with torch.no_grad():
        picture = grid(batch, training.draw(batch, training.average.network), ROWS)
    curves.show(picture, training.images)
    levels = (picture.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    (folder / SAMPLES).mkdir(exist_ok=True)
    save_sheet([levels], folder / SAMPLES / f"{training.images:08d}.jpg")


def describe(config: GeneratorConfig, folder: Path) -> None:
    """Writes what made this run: its settings and the version of the code."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {
        "version": _version(),
        "commit": _commit(),
        "settings": {**config.fingerprint(), "images": config.images},
    }
    (folder / ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def load_average(path: Path) -> FarGenerator:
    """The averaged generator of a checkpoint, ready to be judged or exported. Raises InputError."""
    checkpoint = load_checkpoint(path)
    settings = checkpoint.configuration
    generator = FarGenerator(variant_of(settings["variant"], flow=settings["flow"]))
    generator.load_state_dict(checkpoint.state["average"])
    return generator.eval().requires_grad_(False)


def _version() -> str | None:
    """Of the installed program; a checkout need not be installed."""
    try:
        return version("hifihead-cam")
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of the code, when it lies in a git checkout."""
    asked = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
