"""The generator's network on the card: does it compute what the processor computes, and does a CUDA graph of it?"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from engine.generator.variants import Variant
from engine.runtime.device import DeviceBuffer, DeviceSession, DeviceStream, tensors
from trainer.gpu.checks import CheckFailedError, Measures
from trainer.gpu.context import CheckContext, random_batch, random_generator, settings_for

LEAST_DB = 60.0  # of pictures, peak 2; TF32 off
LEAST_COSINE = 0.9999  # of all gradients


def agreement(context: CheckContext) -> Measures:
    """Pictures [dB] and the gradient of their mean, of both variants. Raises CheckFailedError."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    found: dict[str, float] = {}
    for name in ("live", "paper"):
        here, there = (
            _drawn(context.variant(name), name, CheckContext(torch.device("cpu"), context.small)),
            _drawn(context.variant(name), name, context),
        )
        found[f"{name}: picture [dB]"] = round(_decibels(there[0], here[0]), 1)
        found[f"{name}: gradient (cosine)"] = round(float(nn.functional.cosine_similarity(there[1], here[1], 0)), 6)
        if found[f"{name}: picture [dB]"] < LEAST_DB or found[f"{name}: gradient (cosine)"] < LEAST_COSINE:
            raise CheckFailedError(f"{name} differs from the processor's: {found}")
    return found


def captured(context: CheckContext) -> Measures:
    """The frame network of ``live`` as the engine runs it. Raises CheckFailedError when replayed work differs."""
    variant = context.variant("live")
    generator = random_generator(variant).to(context.device).eval().requires_grad_(False)
    lane = DeviceStream(str(context.device))
    ports = {name: DeviceBuffer(shape, lane) for name, shape in variant.inputs("frame").items()}
    answer = DeviceBuffer((1, 6, variant.output_size, variant.output_size), lane)

    def work() -> None:
        with torch.inference_mode():
            z, guide, prior, *source = tensors(ports)
            answer.tensor.copy_(generator.frame(z, guide, prior, list(source)))

    worst = 0.0
    with DeviceSession(ports, {"state": answer}, lane, work) as session:
        for seed in range(3):
            random = torch.Generator().manual_seed(seed)
            feeds = {name: 0.3 * torch.randn(shape, generator=random).numpy() for name, shape in session.inputs.items()}
            replayed = torch.from_numpy(session.run(feeds)["state"].copy())
            with lane.entered():
                work()
                answer.download()
            lane.finish()
            worst = max(worst, float((torch.from_numpy(answer.array) - replayed).abs().max()))
        with lane.entered():
            eager_s, replay_s = context.seconds(work, 20), context.seconds(session.launch, 20)
    if not worst < 1e-4:
        raise CheckFailedError(f"a replayed graph differs by {worst:.2g} from the same work launched piece by piece")
    return {
        "largest difference": worst,
        "piece by piece [ms]": round(1e3 * eager_s, 3),
        "replayed [ms]": round(1e3 * replay_s, 3),
    }


def _drawn(variant: Variant, name: str, context: CheckContext) -> tuple[Tensor, Tensor]:
    """The picture of a random batch and all gradients of its mean square, on the CPU."""
    generator = random_generator(variant).to(context.device)
    batch = random_batch(variant, settings_for(context, name, 2), context)
    image = generator(batch.photo, batch.layers, batch.drive).image
    image.square().mean().backward()
    gradients = [value.grad.flatten() for value in generator.parameters() if value.grad is not None]
    return image.detach().cpu(), torch.cat(gradients).cpu()


def _decibels(found: Tensor, wanted: Tensor) -> float:
    return -10 * math.log10(max(float((found - wanted).square().mean()) / 4, 1e-20))
