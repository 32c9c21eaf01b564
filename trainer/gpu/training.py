"""The generator's own training step on the card: mixed precision, nccl, and going on where it stopped."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel

from engine.generator.far import FarGenerator
from trainer.generator.training import GeneratorTraining
from trainer.gpu.checks import CheckFailedError, Measures
from trainer.gpu.context import CheckContext, CheckSettings, objective_for, random_batch, random_generator, settings_for
from trainer.training.distributed import ProcessGroup

STEPS = 3
CLOSE = {"bfloat16": 0.05, "float16": 0.02}  # of the first loss, relative to float32's
SAME = 1e-3  # of weights, relative to what the steps changed: sums on a GPU have no fixed order


def precisions(context: CheckContext) -> Measures:
    """The loss of each precision after a few steps. Raises CheckFailedError when one is no number or far from float32's."""
    settings, losses = settings_for(context, "live", 4), {}
    for precision in ("float32", *CLOSE):
        losses[precision] = _losses(settings.with_precision(precision), context)
    for precision, most in CLOSE.items():
        apart = abs(losses[precision][0] / losses["float32"][0] - 1)
        if not apart < most:
            raise CheckFailedError(f"the first loss in {precision} is {apart:.1%} from float32's; {most:.0%} is right")
    return {f"{precision}: loss": round(values[-1], 4) for precision, values in losses.items()}


def distributed(context: CheckContext) -> Measures:
    """One process, for nccl refuses two on one card. Raises CheckFailedError when gradients differ."""
    settings = settings_for(context, "live", 4)
    batch = random_batch(context.variant("live"), settings, context)

    def gradients(network: nn.Module, own: FarGenerator) -> Tensor:
        network(batch.photo, batch.layers, batch.drive).image.square().mean().backward()
        return torch.cat([value.grad.flatten() for value in own.parameters() if value.grad is not None]).clone()

    alone = _generator(context)
    wanted = gradients(alone, alone)
    backend = "nccl" if context.on_gpu else "gloo"
    with TemporaryDirectory() as folder:
        dist.init_process_group(backend, init_method=f"file://{Path(folder) / 'store'}", rank=0, world_size=1)
        try:
            total = torch.ones(4, device=context.device)
            dist.all_reduce(total)
            shared = _generator(context)
            devices = [context.device.index or 0] if context.on_gpu else None
            found = gradients(DistributedDataParallel(shared, device_ids=devices, forward_sync_buffers=False), shared)
        finally:
            dist.destroy_process_group()
    apart = float((found - wanted).norm() / wanted.norm())
    if not apart < SAME or total.tolist() != [1.0] * 4:
        raise CheckFailedError(f"gradients through {backend} differ by {apart:.2%}")
    return {"backend": backend, "gradients differ by": apart}


def resumed(context: CheckContext) -> Measures:
    """Four steps, and two steps, a checkpoint, and two more. Raises CheckFailedError when the weights differ."""
    settings = settings_for(context, "live", 4)
    start = _weights(_training(settings, context))
    whole = _training(settings, context)
    _steps(whole, settings, context, range(4))
    with TemporaryDirectory() as folder:
        first, second = (_training(settings, context) for _ in range(2))
        _steps(first, settings, context, range(2))
        first.save(Path(folder) / "last.pt")
        size = (Path(folder) / "last.pt").stat().st_size
        second.resume(Path(folder) / "last.pt")
        _steps(second, settings, context, range(2, 4))
    changed = (_weights(whole) - start).norm()
    apart = float((_weights(second) - _weights(whole)).norm() / changed)
    if second.images != whole.images or not apart < SAME:
        raise CheckFailedError(f"after {second.images} images instead of {whole.images} the weights differ by {apart:.2%}")
    return {"weights differ by": apart, "checkpoint [MB]": round(size / 1e6, 1)}


def _losses(settings: CheckSettings, context: CheckContext) -> list[float]:
    return _steps(_training(settings, context), settings, context, range(1 if context.small else STEPS))


def _steps(training: GeneratorTraining, settings: CheckSettings, context: CheckContext, numbers: range) -> list[float]:
    """Each step's loss, on the batch of its number."""
    objective, variant = objective_for(settings, context), training.generator.variant
    batches = (random_batch(variant, settings, context, seed=number) for number in numbers)
    return [training.step([batch], objective)["total"] for batch in batches]


def _training(settings: CheckSettings, context: CheckContext) -> GeneratorTraining:
    return GeneratorTraining(_generator(context), settings.as_config, ProcessGroup(0, 1, context.device))


def _generator(context: CheckContext) -> FarGenerator:
    return random_generator(context.variant("live")).to(context.device)


def _weights(training: GeneratorTraining) -> Tensor:
    return torch.cat([value.detach().flatten() for value in training.generator.parameters()]).cpu()
