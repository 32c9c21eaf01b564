"""What a training would take, without training: parameters, arithmetic, memory and time (``--plan``).

One picture goes through every network on torch's "meta" device, which computes shapes and no numbers: the arithmetic of all
convolutions and matrix products, forward and backward, is counted, and so are the activations that wait for the backward pass.
What follows from them for a GPU rests on the assumptions that ``Plan.assumptions`` lists.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from engine.components import COMPONENTS
from engine.errors import ConfigError
from engine.generator.compose_torch import Layers, RenderInputsTorch
from engine.generator.far import FarGenerator
from engine.generator.upsampling import POINTS
from engine.generator.variants import Variant
from engine.values import COEFFICIENTS
from trainer.generator.cost import backward, measure, pictures, through

EFFICIENCY = 0.15  # of the tensor cores' peak: a guess for such networks; a hundred steps of the real training tell better
HALF = 0.6  # activations in mixed precision, as a share of float32's: flows, grids and losses stay float32
SPARE = 1.2  # what the allocator and the convolutions' work space add
STATE_BYTES = 4 * 4  # float32 weight, gradient, and Adam's two moments
R1_EVERY = 16  # steps from one gradient penalty to the next (StyleGAN2)
PAPERS_DAYS = 2  # section 4.1: on 8 V100
GIGA, TERA, DAY_S = 1e9, 1e12, 86_400.0


@dataclass(frozen=True)
class GpuSpec:
    """peak_tflops: dense half precision with float32 sums, by the maker's data sheet; memory_gb likewise."""

    peak_tflops: float
    memory_gb: float


GPUS = {
    "T4": GpuSpec(65, 16),
    "V100": GpuSpec(125, 32),
    "RTX 3090": GpuSpec(71, 24),
    "RTX 4090": GpuSpec(165, 24),
    "L40S": GpuSpec(362, 48),
    "A100": GpuSpec(312, 80),
    "H100": GpuSpec(989, 80),
    "H200": GpuSpec(989, 141),
}


@dataclass(frozen=True)
class FrozenNetwork:
    """A frozen network that looks at the output, and through which the gradient goes, and at so many other pictures.

    network  (N, 3, side, side) → anything differentiable
    """

    name: str
    network: nn.Module
    side: int
    others: int = 1


@dataclass(frozen=True)
class NetworkCost:
    """What one network costs.

    gflop        for each picture of a step
    kept_bytes   float32 activations that wait for the backward pass, for each picture
    fixed_bytes  what waits besides, however many pictures there are: scaled weights
    """

    name: str
    parameters: int
    gflop: float
    kept_bytes: float
    fixed_bytes: float
    trained: bool


@dataclass(frozen=True)
class Plan:
    """The answer, for ``show``. ``images`` is the length of the training; ``memory_gb`` each GPU's."""

    variant: str
    batch: int
    gpus: int
    gpu: str
    images: int
    parts: tuple[NetworkCost, ...]
    memory_gb: float
    images_per_s: float
    assumptions: tuple[str, ...]

    @property
    def gflop(self) -> float:
        """Per picture and step."""
        return sum(part.gflop for part in self.parts)

    @property
    def days(self) -> float:
        """Of the whole training."""
        return self.images / self.images_per_s / DAY_S

    @property
    def gpu_hours(self) -> float:
        """Of all GPUs together."""
        return self.days * 24 * self.gpus

    @property
    def fits(self) -> bool:
        """Whether one GPU's memory is enough."""
        return self.memory_gb <= GPUS[self.gpu].memory_gb


def plan(
    variant: Variant,
    batch: int = 32,
    gpus: int = 8,
    gpu: str = "V100",
    images: int = 1_000_000,
    *,
    discriminator: nn.Module | None = None,
    discriminated_side: int | None = None,
    frozen_networks: Sequence[FrozenNetwork] = (),
) -> Plan:
    """Plans a training of ``images`` pictures in batches over all GPUs; the defaults are the paper's setting.

    ``discriminator``: (N, 3, side, side) → logits; ``discriminated_side``: that side where it is not the whole picture.
    Raises ConfigError for a GPU that is not listed, or a batch that cannot be shared.
    """
    if gpu not in GPUS:
        raise ConfigError(f"The GPU {gpu!r} is not listed; there are {', '.join(GPUS)}.")
    if gpus < 1 or batch < 1 or batch % gpus:
        raise ConfigError(f"The batch of {batch} cannot be shared by {gpus} GPUs: take a multiple.")
    parts = [_generator(variant)]
    if discriminator is not None:
        parts.append(_discriminator(discriminator, discriminated_side or variant.size))
    parts += [_frozen(frozen) for frozen in frozen_networks]
    rate = gpus * GPUS[gpu].peak_tflops * TERA * EFFICIENCY / (sum(part.gflop for part in parts) * GIGA)
    memory = _memory(parts, batch // gpus)
    return Plan(variant.name, batch, gpus, gpu, images, tuple(parts), memory, rate, _assumptions())


def show(found: Plan, console: Console, price: float | None = None) -> None:
    """Prints tables and assumptions; ``price``: of one GPU for an hour."""
    table = Table(title=f"{found.variant}: one step, for each picture of the batch")
    for heading in ("network", "parameters [M]", "GFLOP", "kept [MB]"):
        table.add_column(heading, justify="left" if heading == "network" else "right")
    for part in found.parts:
        numbers = (f"{part.parameters / 1e6:.2f}", f"{part.gflop:.1f}", f"{part.kept_bytes * HALF / 1e6:.0f}")
        table.add_row(part.name, *numbers)
    table.add_row("together", "", f"{found.gflop:.1f}", "", style="bold")
    console.print(table)
    memory, there = found.memory_gb, GPUS[found.gpu].memory_gb
    room = f"of {there:g} GB" if found.fits else f"more than its {there:g} GB: accumulate gradients, or take more GPUs"
    console.print(f"{found.gpus} × {found.gpu}, batch {found.batch}: {memory:.1f} GB on each, {room}.")
    length = f"{found.days:.1f} days" if found.days >= 1 else f"{24 * found.days:.1f} hours"
    whole = f"{found.images:,} pictures ({found.images // found.batch:,} steps)"
    console.print(f"{found.images_per_s:.0f} pictures a second; {whole} take {length}.")
    if price is not None:
        console.print(f"{found.gpu_hours:,.0f} GPU hours at {price:g} each: {found.gpu_hours * price:,.0f}.")
    seen = found.images_per_s * DAY_S * PAPERS_DAYS / 1e6
    console.print(f"In the {PAPERS_DAYS} days that the paper trained it would see {seen:.0f} million pictures.")
    for assumption in found.assumptions:
        console.print(f"· {assumption}")


def _assumptions() -> tuple[str, ...]:
    return (
        f"{EFFICIENCY:.0%} of the tensor cores' peak is reached, and data and communication keep up.",
        f"Mixed precision: activations take {HALF:.0%} of float32's; weights, gradients, moments and the average are float32.",
        f"The discriminator sees a real and a generated picture each step, R1 every {R1_EVERY} steps; the generator draws once.",
        f"{SPARE - 1:.0%} of memory for the allocator and work space; sampling and point-wise arithmetic are not counted.",
    )


def _memory(parts: Sequence[NetworkCost], share: int) -> float:
    """GB of one GPU that takes ``share`` pictures of a batch: states, the average of the generator, and what a step keeps."""
    states = sum(part.parameters * (STATE_BYTES if part.trained else 4) for part in parts) + parts[0].parameters * 4
    kept = sum(part.kept_bytes * share + part.fixed_bytes for part in parts) * HALF
    return (states + kept) * SPARE / GIGA


def _generator(variant: Variant) -> NetworkCost:
    with torch.device("meta"):
        network = FarGenerator(variant).to("meta")  # moves what was made of arrays

    def learn(count: int) -> None:
        size, picture = variant.size, pictures(count, variant.size)
        plane, flow = picture[:, :1], torch.zeros(count, 2, size, size, device="meta")
        drive = RenderInputsTorch(
            torch.zeros(count, COEFFICIENTS, device="meta"), flow, picture, plane, plane, torch.zeros(count, len(COMPONENTS), 2)
        )
        backward(network(picture, Layers(pictures(count, POINTS * size), plane, picture), drive).image)

    cost = measure(learn)
    return NetworkCost("generator", _parameters(network), cost.flop / GIGA, cost.kept_bytes, cost.fixed_bytes, trained=True)


def _discriminator(network: nn.Module, side: int) -> NetworkCost:
    """Trained on a real and a generated picture, passed through once for the generator, and R1 now and then."""
    meta = copy.deepcopy(network).to("meta")

    def penalise(count: int) -> None:
        real = pictures(count, side).requires_grad_()
        seen = real.clone()  # the counter's hooks want no leaf here
        (gradient,) = torch.autograd.grad(meta(seen).sum(), real, create_graph=True)
        backward(gradient.square())

    learning, penalty = measure(lambda count: backward(meta(pictures(count, side)))), measure(penalise)
    flop = 2 * learning.flop + through(copy.deepcopy(meta), side).flop + penalty.flop / R1_EVERY
    return NetworkCost(
        "discriminator", _parameters(network), flop / GIGA, 2 * learning.kept_bytes, learning.fixed_bytes, trained=True
    )


def _frozen(frozen: FrozenNetwork) -> NetworkCost:
    meta = copy.deepcopy(frozen.network).to("meta")
    cost = through(meta, frozen.side)
    flop = cost.flop + frozen.others * measure(lambda count: meta(pictures(count, frozen.side))).flop
    return NetworkCost(frozen.name, _parameters(frozen.network), flop / GIGA, cost.kept_bytes, cost.fixed_bytes, trained=False)


def _parameters(network: nn.Module) -> int:
    return sum(value.numel() for value in network.parameters())
