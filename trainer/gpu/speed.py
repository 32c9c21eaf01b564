"""How many pictures a second a training takes on the card, in batches of several sizes, and whether loading keeps up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import torch

from engine.generator.far import FarGenerator
from engine.head import load_head
from engine.values import COEFFICIENTS, LANDMARKS
from trainer.data.mirror import mirror_of
from trainer.generator.training import GeneratorTraining
from trainer.gpu.checks import CheckFailedError, Measures
from trainer.gpu.context import MESH_SIDE_PX, CheckContext, objective_for, random_batch, settings_for
from trainer.regressor.batches import RegressorMixture, collate
from trainer.regressor.examples import STORED_PX, Example, ExampleSet, open_examples, write_examples
from trainer.regressor.losses import DEFAULT_WEIGHTS
from trainer.regressor.network import RegressorNet
from trainer.regressor.objective import RegressorObjective
from trainer.regressor.training import RegressorTraining
from trainer.training.distributed import ProcessGroup
from trainer.training.loading import default_workers, loading

GIGA = 1e9
ENOUGH_S = 8.0  # of steps for each batch size
LOADED = 40  # batches


def live(context: CheckContext) -> Measures:
    """See ``_generator_speed``."""
    return _generator_speed("live", (8, 32, 128), context)


def paper(context: CheckContext) -> Measures:
    """Likewise."""
    return _generator_speed("paper", (4, 16), context)


def regressor(context: CheckContext) -> Measures:
    """The camera's network; all supervised terms."""
    found: dict[str, float] = {}
    for batch in (4,) if context.small else (64, 256, 1024):
        settings = _regressor_settings(batch)
        network = RegressorNet("lite0", MESH_SIDE_PX)
        training = RegressorTraining(network, settings, ProcessGroup(0, 1, context.device))
        objective = RegressorObjective(load_head(), DEFAULT_WEIGHTS).to(context.device)
        examples = _examples(batch, MESH_SIDE_PX)
        pictures = collate(examples, ["random"] * batch).to(context.device)
        _measure(f"batch {batch}", lambda: training.step([pictures], objective), batch, context, found)  # noqa: B023
    return found


def loader(context: CheckContext) -> Measures:
    """By as many processes as the training takes. Raises CheckFailedError when none comes."""
    batch, count = (4, 3) if context.small else (256, LOADED)
    workers = 0 if context.small else default_workers(context.device, 1)
    with TemporaryDirectory() as folder:
        write_examples(Path(folder) / "random", _examples(16 if context.small else 512, STORED_PX))
        opened: ExampleSet = open_examples(Path(folder) / "random")
        mixture = RegressorMixture([opened], [1.0], mirror_of(load_head()), 0, MESH_SIDE_PX)
        draws = (mixture.draws(number * batch, batch) for number in range(count))
        with loading(mixture, draws, workers, context.device) as batches:
            return {"workers": float(workers), **_loaded(batches, batch, context)}


def _loaded(batches: Iterator[Any], batch: int, context: CheckContext) -> Measures:
    next(batches)  # starting the processes is no part of it
    began_s, seen = time.perf_counter(), 0
    for one in batches:
        one.to(context.device)
        seen += batch
    context.finish()
    if not seen:
        raise CheckFailedError("no batch was loaded")
    return {"pictures a second": round(seen / (time.perf_counter() - began_s), 1)}


def _generator_speed(name: str, batches: tuple[int, ...], context: CheckContext) -> Measures:
    """Both networks' steps with all terms but identity's. A batch that does not fit the memory is said, and no failure."""
    found: dict[str, float | str] = {}
    for precision in ("float32", "bfloat16"):
        for batch in (4,) if context.small else batches:
            settings = settings_for(context, name, batch).with_precision(precision)
            label = f"{precision}, batch {batch}"
            try:
                torch.manual_seed(0)
                generator = FarGenerator(context.variant(name))
                training = GeneratorTraining(generator, settings.as_config, ProcessGroup(0, 1, context.device))
                objective = objective_for(settings, context)
                pictures = random_batch(generator.variant, settings, context)
                _measure(label, lambda: training.step([pictures], objective), batch, context, found)  # noqa: B023
            except torch.cuda.OutOfMemoryError:
                found[label] = "more than the memory"
            training = objective = pictures = None  # type: ignore[assignment]
            if context.on_gpu:
                torch.cuda.empty_cache()
    return found


def _measure(label: str, step: Any, batch: int, context: CheckContext, found: Any) -> None:
    """Adds pictures a second, and on a GPU the most memory, of a step that takes ``batch`` pictures."""
    if context.on_gpu:
        torch.cuda.reset_peak_memory_stats(context.device)
    once_s = context.seconds(step, 1, warm_ups=1 if context.small else 3)
    runs = 1 if context.small else max(3, min(200, int(ENOUGH_S / once_s)))
    found[f"{label}: pictures a second"] = round(batch / context.seconds(step, runs, warm_ups=0), 2)
    if context.on_gpu:
        found[f"{label}: memory [GB]"] = round(torch.cuda.max_memory_allocated(context.device) / GIGA, 2)


def _examples(count: int, side: int) -> list[Example]:
    rng = np.random.default_rng(0)
    z = rng.normal(0, 0.1, (count, COEFFICIENTS)).astype(np.float32)
    points = rng.uniform(-0.7, 0.7, (LANDMARKS, 2)).astype(np.float32)
    trust = np.ones(6, np.float32)
    return [Example(rng.integers(0, 256, (side, side, 3)).astype(np.uint8), row, trust, points, 0) for row in z]


def _regressor_settings(batch: int) -> Any:
    """What a step reads of a ``RegressorConfig``, without pydantic."""
    return cast(
        "Any",
        SimpleNamespace(
            batch=batch, frozen_blocks=3, half_life=2_000.0, rate=1e-4, images=1_000_000, decay=0.1, warm_up=1,
            gradient_norm=2.0, weights=DEFAULT_WEIGHTS,
        ),
    )  # fmt: skip
