"""Training the generator, as a recipe. A run is a folder: run.json, last.pt, samples/, curves.jsonl, tensorboard/."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from engine.errors import InputError
from engine.generator.far import FarGenerator
from engine.generator.variants import VARIANTS, Variant
from trainer.data.report import save_sheet
from trainer.generator.batches import Batch, Mixture
from trainer.generator.config import GeneratorConfig
from trainer.generator.objective import Objective
from trainer.generator.pictures import grid
from trainer.generator.run import Training
from trainer.training.checkpoint import load_checkpoint
from trainer.training.code import code_commit, program_version
from trainer.training.curves import Curves
from trainer.training.progress import RunProgress, due

LAST, ABOUT, SAMPLES = "last.pt", "run.json", "samples"
ROWS = 6  # of a grid of pictures
# Of what the sub-pixels of one feature learn to differ by, little is detail and most a grid of two pixels, seen in dark mouths.
SUB_PIXELS_APART = 0.25


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

    def load(images: int) -> list[Batch]:
        """This process's parts of the batch after ``images``."""
        count = team.size * config.accumulate
        mine = range(team.rank * config.accumulate, (team.rank + 1) * config.accumulate)
        return [mixture.batch(images, config.batch, config.cross, (part, count)) for part in mine]

    progress = RunProgress(config.images, training.images, shown=team.leads)
    with Curves(folder if team.leads else None) as curves, progress as tick, ThreadPoolExecutor(1, "loader") as loader:
        waiting = loader.submit(load, training.images)
        while training.images < config.images:
            began_s = time.monotonic()
            # One step on this process's parts of the batch; meanwhile the next one is loaded.
            mine = waiting.result()
            waiting = loader.submit(load, training.images + config.batch)
            parts = [part.to(team.device) for part in mine]
            terms = training.step(parts, objective)
            training.seconds += time.monotonic() - began_s
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
        "version": program_version(),
        "commit": code_commit(),
        "settings": {**config.fingerprint(), "images": config.images},
    }
    (folder / ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def load_average(path: Path) -> FarGenerator:
    """The averaged generator of a checkpoint, its sub-pixels drawn together, to be judged or exported. Raises InputError."""
    checkpoint = load_checkpoint(path)
    settings = checkpoint.configuration
    try:
        generator = FarGenerator(variant_of(settings["variant"], flow=settings["flow"]))
        generator.load_state_dict(checkpoint.state["average"])
    except (KeyError, RuntimeError) as error:
        raise InputError(f"{path} is no checkpoint of a generator of this version: give the last.pt of such a run.") from error
    generator.blocks[-1].heads.draw_together(SUB_PIXELS_APART)  # type: ignore[operator, union-attr]
    return generator.eval().requires_grad_(False)


def take_average(generator: FarGenerator, path: Path) -> None:
    """Gives a fresh generator the averaged weights of a checkpoint; a refiner that it lacks stays untrained. Raises InputError
    for one of another variant."""
    untrained = {name: values for name, values in generator.state_dict().items() if name.startswith("refiner.")}
    try:
        generator.load_state_dict(untrained | load_checkpoint(path).state["average"])
    except (KeyError, RuntimeError) as error:
        raise InputError(f"{path} is no checkpoint of a generator of this variant: give the last.pt of such a run.") from error
