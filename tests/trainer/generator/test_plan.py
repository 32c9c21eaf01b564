"""What is counted is what would be computed; what follows from it follows in proportion."""

from __future__ import annotations

import io

import pytest
import torch
from rich.console import Console
from torch import nn

from engine.errors import ConfigError
from engine.generator.far import FarGenerator
from engine.generator.variants import LIVE, TINY_LIVE, TINY_PAPER
from trainer.generator.data_plan import DataPlan, show_data
from trainer.generator.plan import GPUS, HALF, STATE_BYTES, FrozenNetwork, plan, show


def two_layers() -> nn.Sequential:
    """Of 16 × 16 pictures: FLOP 2·9·3·4·256 and 2·9·4·5·256, then a linear layer's 2·1280."""
    return nn.Sequential(nn.Conv2d(3, 4, 3, 1, 1), nn.Conv2d(4, 5, 3, 1, 1), nn.Flatten(), nn.Linear(5 * 256, 1))


FIRST, SECOND, LAST = 2 * 9 * 3 * 4 * 256, 2 * 9 * 4 * 5 * 256, 2 * 1280


def test_arithmetic_is_that_of_the_layers() -> None:
    found = plan(
        TINY_LIVE,
        8,
        8,
        discriminator=two_layers(),
        discriminated_side=16,
        frozen_networks=[FrozenNetwork("judge", two_layers(), 16, others=2)],
    )
    generator, discriminator, frozen = found.parts
    everything = FIRST + SECOND + LAST
    assert frozen.gflop * 1e9 == pytest.approx((2 + 2) * everything)
    assert (frozen.trained, frozen.parameters) == (False, 3 * 4 * 9 + 4 + 4 * 5 * 9 + 5 + 1281)
    # learning: forward, weights, and inputs but for the picture; twice; passing through: forward and inputs; and R1
    learning, through = 3 * everything - FIRST, 2 * everything
    assert discriminator.gflop * 1e9 == pytest.approx(2 * learning + through, rel=0.3)
    assert discriminator.gflop * 1e9 > 2 * learning + through
    assert generator.parameters == sum(p.numel() for p in FarGenerator(TINY_LIVE).parameters())


def test_the_generators_arithmetic_is_three_times_that_of_a_picture() -> None:
    """docs/generator.md counts 0.51 GFLOP for a picture of this variant, 0.36 for its source and 0.36 for mouth and eyes.

    Three times, but for the encoders' stems: of the folded photograph and guide nobody needs the gradient.
    """
    stems = 2e-9 * 9 * 64**2 * (192 + 20) * 24
    assert plan(LIVE, 8, 8).gflop == pytest.approx(3 * (0.51 + 0.36 + 0.36) - stems, rel=0.02)


def test_what_waits_for_the_backward_pass_is_counted_once() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 256, 1))
    kept = plan(TINY_LIVE, 8, 8, discriminator=network, discriminated_side=16).parts[1].kept_bytes
    assert kept == 2 * 4 * (3 * 256 + 4 * 256)  # twice: real and generated; the picture, and what the ReLU gives


def test_time_and_memory_follow_in_proportion() -> None:
    one, two = plan(TINY_PAPER, 32, 4, "A100", 10**6), plan(TINY_PAPER, 32, 8, "T4", 10**6)
    assert two.days / one.days == pytest.approx(4 * 312 / (8 * 65))
    part = one.parts[0]
    fixed = 1.2 * (part.parameters * (STATE_BYTES + 4) + HALF * part.fixed_bytes) / 1e9
    assert one.memory_gb - fixed == pytest.approx(2 * (two.memory_gb - fixed))
    assert one.fits


def test_data_and_cost_follow_in_proportion() -> None:
    few, many = DataPlan(100, 8.0), DataPlan(200, 8.0, scenes=6)
    assert (few.crops, many.crops) == (4000, 8000)
    assert many.disk_gb["scenes"] == pytest.approx(4 * few.disk_gb["scenes"])
    assert many.core_hours["crops"] == pytest.approx(2 * few.core_hours["crops"])
    console = Console(file=io.StringIO(), width=300)
    show_data(few, console)
    found = plan(TINY_LIVE, 8, 4, "A100", images=10**9)
    show(found, console, price=2.0)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "100 videos of 8 s: 4,000 crops of 512²" in said
    assert f"{found.gpu_hours:,.0f} GPU hours at 2 each: {2 * found.gpu_hours:,.0f}." in said
    assert found.gpu_hours == pytest.approx(found.days * 24 * 4)


def test_what_does_not_fit_is_said() -> None:
    found = plan(TINY_PAPER, 8_000_000, 8, "T4", 10**9, discriminator=two_layers(), discriminated_side=16)
    assert not found.fits
    console = Console(record=True, width=200, file=io.StringIO())
    show(found, console)
    text = console.export_text()
    assert "more than its 16 GB: accumulate gradients" in text
    assert "days" in text
    assert "15% of the tensor cores' peak" in text


@pytest.mark.parametrize(
    ("gpu", "gpus", "message"), [("Voodoo", 8, f"there are {', '.join(GPUS)}"), ("V100", 3, "take a multiple")]
)
def test_impossible_settings_are_refused(gpu: str, gpus: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plan(TINY_PAPER, 32, gpus, gpu)


def test_nothing_is_computed_and_the_networks_stay_as_they_are() -> None:
    network = two_layers()
    plan(TINY_PAPER, 8, 8, discriminator=network, discriminated_side=16, frozen_networks=[FrozenNetwork("judge", network, 16)])
    assert {p.device.type for p in network.parameters()} == {"cpu"}
    assert all(p.requires_grad and p.grad is None for p in network.parameters())
    assert torch.is_grad_enabled()
