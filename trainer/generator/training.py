"""A generator's training: the two networks, their optimisers, and one step of each (docs/training.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from engine.errors import ConfigError, InputError
from engine.generator.far import FarGenerator, Output
from engine.generator.variants import VARIANTS, Variant
from trainer.generator.batches import GeneratorBatch, GeneratorMixture, PairDraw
from trainer.generator.discriminator import Discriminator
from trainer.generator.losses import discrimination, gradient_penalty
from trainer.generator.objective import GeneratorObjective, cut_windows, weighted_sum
from trainer.generator.pictures import grid
from trainer.training.average import Average
from trainer.training.checkpoint import load_checkpoint
from trainer.training.distributed import ProcessGroup
from trainer.training.loop import NetworkTraining, diverged

if TYPE_CHECKING:
    from trainer.generator.config import GeneratorConfig

BETAS = (0.0, 0.99)  # of Adam, as StyleGAN2
WIDEST = 256  # of the discriminator
ROWS = 6  # of a preview
# Of what the sub-pixels of one feature learn to differ by, little is detail and most a grid of two pixels, seen in dark mouths.
SUB_PIXELS_APART = 0.25
FOLD = {"live": 2, "tiny-live": 2}  # the discriminator's, for variants that train on ordinary machines


class GeneratorTraining(NetworkTraining["GeneratorConfig", GeneratorMixture, GeneratorBatch, GeneratorObjective]):
    """Everything that a checkpoint holds, and the step."""

    def __init__(self, generator: FarGenerator, config: GeneratorConfig, group: ProcessGroup) -> None:
        """Raises ConfigError when the batch cannot be shared."""
        shared = group.size * config.accumulate
        same = config.batch - round(config.batch * config.cross)
        if same % shared or (config.batch - same) % shared:
            raise ConfigError(
                f"A batch of {config.batch} with {same} reconstructions cannot be cut into {group.size} processes × "
                f"{config.accumulate} parts: both kinds must be multiples of {shared}."
            )
        super().__init__(config, group)
        self.steps, self.parts = 0, config.accumulate
        self.generator = generator.to(group.device)
        self._zero = torch.zeros((), device=group.device)
        if config.learns == "refiner":
            self.generator.requires_grad_(False)
            self.generator.get_submodule("refiner").requires_grad_(True)
        self.average = Average(self.generator, config.half_life)
        self.optimiser = torch.optim.Adam(
            [p for p in self.generator.parameters() if p.requires_grad], lr=config.rate, betas=BETAS
        )
        self.scaler = torch.amp.GradScaler(group.device.type, enabled=config.precision == "float16")
        self._generate = _together(self.generator, group)
        self.discriminator: Discriminator | None = None
        if config.weight("adversarial"):
            torch.manual_seed(config.seed + 1)
            self.discriminator = discriminator_of(config).to(group.device)
            self._discriminate = _together(self.discriminator, group)
            self.discriminator_optimiser = torch.optim.Adam(self.discriminator.parameters(), lr=config.rate, betas=BETAS)

    def draws(self, mixture: GeneratorMixture, images: int, part: tuple[int, int]) -> list[PairDraw]:
        """See ``NetworkTraining``."""
        return mixture.draws(images, self.config.batch, self.config.cross, part)

    def preview(self, batch: GeneratorBatch, objective: GeneratorObjective) -> Tensor:
        """A row for each of the first pairs, see ``trainer.generator.pictures.grid``."""
        with torch.no_grad():
            return grid(batch, self.draw(batch, self.average.network), ROWS)

    def step(self, parts: Sequence[GeneratorBatch], objective: GeneratorObjective) -> dict[str, float]:
        """One step of the generator and one of the discriminator on this process's ``accumulate`` parts of a batch; the mean of
        each term over all processes. Raises DivergedError, and changes nothing, when one is no number."""
        self.set_rate([self.optimiser] if self.discriminator is None else [self.optimiser, self.discriminator_optimiser])
        outputs, terms = self._generator_gradients(parts, objective)
        names = [name for part in parts for name in part.names]
        discriminated = self._discriminator_gradients(parts, outputs)
        means = self._means({**terms, **discriminated})
        self.scaler.unscale_(self.optimiser)
        norms = [_norm(self.generator)] + ([] if self.discriminator is None else [_norm(self.discriminator)])
        overflow = self.scaler.is_enabled() and not bool(torch.isfinite(norms[0]))  # float16: the scaler skips the step
        if not overflow and not bool(torch.isfinite(torch.stack([*norms, *(torch.tensor(v) for v in means.values())])).all()):
            raise diverged(self.images, names, means)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        if self.discriminator is not None:
            self.discriminator_optimiser.step()
        self.images += self.config.batch
        self.steps += 1
        self.average.follow(self.generator, self.config.batch, self.images)
        return {**means, "gradient_norm": float(norms[0])}

    def draw(self, batch: GeneratorBatch, network: nn.Module | None = None) -> Output:
        """The generator's pictures of a batch; ``network``: instead of the trained one."""
        device, precision = self.group.device.type, self.config.precision
        mixed = nullcontext() if precision == "float32" else torch.autocast(device, getattr(torch, precision))
        with mixed:
            output: Output = (network or self._generate)(batch.photo, batch.layers, batch.drive)
        return Output(output.image.float(), output.flow.float(), output.picture, output.mask.float())

    def _generator_gradients(
        self, parts: Sequence[GeneratorBatch], objective: GeneratorObjective
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        self.optimiser.zero_grad(set_to_none=True)
        if self.discriminator is not None:
            self.discriminator.requires_grad_(False)
        outputs: list[Tensor] = []
        sums: dict[str, Tensor] = {}
        for number, part in enumerate(parts):
            with self._quiet(self._generate, last=number == len(parts) - 1):
                drawn = self.draw(part)
                window = cut_windows(drawn.image, part.windows, self.config.window)
                logits = None if self.discriminator is None else self.discriminator(window)
                terms = objective(drawn, window, part, logits)
                total = weighted_sum(terms, self.config, len(drawn.image)) / len(parts)
                self.scaler.scale(total).backward()  # type: ignore[no-untyped-call]
            outputs.append(window.detach())
            for name, value in {"total": total.detach()[None] * len(parts), **terms}.items():
                sums[name] = sums.get(name, self._zero) + value.detach().mean() / len(parts)
        return outputs, sums

    def _discriminator_gradients(self, parts: Sequence[GeneratorBatch], fakes: Sequence[Tensor]) -> dict[str, Tensor]:
        if self.discriminator is None:
            return {}
        self.discriminator.requires_grad_(True)
        self.discriminator_optimiser.zero_grad(set_to_none=True)
        config, sums = self.config, dict.fromkeys(("real", "fake"), self._zero)
        penalised = self.steps % config.r1_every == 0
        for number, (part, fake) in enumerate(zip(parts, fakes, strict=True)):
            with self._quiet(self._discriminate, last=number == len(parts) - 1):
                known = len(part.target)
                real = cut_windows(part.target, part.windows[:known], config.window).requires_grad_(penalised)
                logits = self._discriminate(torch.cat([real, fake]))
                on_real, on_fake = logits[:known], logits[known:]
                loss = discrimination(on_real, real=True).mean() + discrimination(on_fake, real=False).mean()
                if penalised:  # lazily, hence as much more (StyleGAN2)
                    penalty = gradient_penalty(on_real, real).mean()
                    loss = loss + config.r1_weight * config.r1_every * penalty
                    sums["penalty"] = sums.get("penalty", self._zero) + penalty.detach() / len(parts)
                (loss / len(parts)).backward()  # type: ignore[no-untyped-call]
            sums["real"] = sums["real"] + on_real.detach().mean() / len(parts)
            sums["fake"] = sums["fake"] + on_fake.detach().mean() / len(parts)
        return {f"discriminator/{name}": value for name, value in sums.items()}

    def _quiet(self, network: nn.Module, *, last: bool) -> Any:
        """Gradients of all parts but the last stay here; with the last they are averaged over the processes."""
        return network.no_sync() if isinstance(network, DistributedDataParallel) and not last else nullcontext()

    def _means(self, terms: dict[str, Tensor]) -> dict[str, float]:
        values = self.group.average(torch.stack(list(terms.values())).float())
        return dict(zip(terms, values.tolist(), strict=True))

    def state(self) -> dict[str, Any]:
        """Both networks, the average, the optimisers and the steps."""
        state = {
            "generator": self.generator.state_dict(),
            "average": self.average.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "steps": self.steps,
        }
        if self.discriminator is not None:
            state["discriminator"] = self.discriminator.state_dict()
            state["discriminator_optimiser"] = self.discriminator_optimiser.state_dict()
        return state

    def load_state(self, state: Mapping[str, Any]) -> None:
        """The inverse."""
        self.generator.load_state_dict(state["generator"])
        self.average.network.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
        if self.discriminator is not None:
            self.discriminator.load_state_dict(state["discriminator"])
            self.discriminator_optimiser.load_state_dict(state["discriminator_optimiser"])
        self.steps = state["steps"]


def discriminator_of(config: GeneratorConfig) -> Discriminator:
    """The one that these settings ask for, untrained."""
    return Discriminator(config.window, config.discriminator, WIDEST, fold=FOLD.get(config.variant, 1))


def _together(network: nn.Module, group: ProcessGroup) -> nn.Module:
    if group.size == 1:
        return network
    devices = [group.device.index] if group.device.type == "cuda" else None
    # the discriminator is used twice a step, once without its gradients
    return DistributedDataParallel(network, device_ids=devices, forward_sync_buffers=False)


def _norm(network: nn.Module) -> Tensor:
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    return torch.nn.utils.get_total_norm(gradients)


def variant_of(name: str, *, flow: bool) -> Variant:
    """The variant that is trained; without ``flow`` it is the paper's ablation A."""
    return VARIANTS[name] if flow else replace(VARIANTS[name], flow=False, flow_prior=False)


def load_average(path: Path) -> FarGenerator:
    """The averaged generator of a checkpoint, its sub-pixels drawn together, to be evaluated or exported. Raises InputError."""
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
