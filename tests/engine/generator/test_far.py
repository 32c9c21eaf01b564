"""The network against the paper's equations, and as something that can be trained."""

from dataclasses import replace

import pytest
import torch

from engine.generator.compose_torch import Layers, RenderInputsTorch
from engine.generator.far import FarBlock, FarGenerator
from engine.generator.layers import StyleConv, clamp_ste
from engine.generator.variants import PAPER, TINY_LIVE, TINY_PAPER, VARIANTS, Variant
from tests.engine.generator import scenes

LETTER = replace(TINY_PAPER, flow_prior=False, picture_prior=False)


def bilinear(image: torch.Tensor, x_px: float, y_px: float) -> torch.Tensor:
    """(C, H, W) at pixel indices, the border continued."""
    height, width = image.shape[1:]
    x_px, y_px = min(max(x_px, 0.0), width - 1.0), min(max(y_px, 0.0), height - 1.0)
    x0, y0 = min(int(x_px), width - 2), min(int(y_px), height - 2)
    fx, fy = x_px - x0, y_px - y0
    upper = image[:, y0, x0] * (1 - fx) + image[:, y0, x0 + 1] * fx
    lower = image[:, y0 + 1, x0] * (1 - fx) + image[:, y0 + 1, x0 + 1] * fx
    return upper * (1 - fy) + lower * fy


def doubled(image: torch.Tensor) -> torch.Tensor:
    """UP: (C, H, W) → (C, 2H, 2W), bilinear between pixel centres."""
    size = image.shape[-1] * 2
    rows = [torch.stack([bilinear(image, (x + 0.5) / 2 - 0.5, (y + 0.5) / 2 - 0.5) for x in range(size)], 1) for y in range(size)]
    return torch.stack(rows, 1)


def warped(source: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """out(p) = source(p + flow(p)), flow in half pictures."""
    size = source.shape[-1]
    rows = []
    for y in range(size):
        row = [bilinear(source, x + float(flow[0, y, x]) * size / 2, y + float(flow[1, y, x]) * size / 2) for x in range(size)]
        rows.append(torch.stack(row, 1))
    return torch.stack(rows, 1)


def one_by_one(layer: torch.nn.Module, features: torch.Tensor, scale: float) -> torch.Tensor:
    """A 1 × 1 convolution with equalised weights, point by point."""
    matrix = layer.weight[:, :, 0, 0] / features.shape[0] ** 0.5  # type: ignore[index, operator]
    return scale * (torch.einsum("oi,ihw->ohw", matrix, features) + layer.bias[:, None, None])  # type: ignore[index]


def test_a_block_is_equations_9_to_12() -> None:
    generator = scenes.made(LETTER, trained=True)
    block = generator.blocks[1]  # 4 → 8
    assert isinstance(block, FarBlock)
    torch.manual_seed(1)
    features, state = torch.randn(1, generator.blocks[0].outputs, 4, 4), torch.randn(1, 5, 4, 4) * 0.2
    source, guide, w = torch.randn(1, 16, 8, 8), torch.randn(1, 16, 8, 8), torch.randn(1, 16)

    inter = doubled(block.convs[0](features, w)[0])  # eq. 9: two StyleConvs, as in StyleGAN2, the first up-sampled
    inter = block.convs[1](inter[None], w)[0]
    colour, flow = doubled(state[0, :3]), doubled(state[0, 3:])
    gan = torch.cat([inter, warped(source[0], flow), guide[0]])  # eq. 10
    colour = one_by_one(block.heads.to_rgb, gan, 1.0) + colour  # eq. 11
    flow = one_by_one(block.heads.to_xy, gan, 0.1) + flow  # eq. 12

    got_features, got_state = block(features, state, w, source=source, guide=guide, prior=None)
    torch.testing.assert_close(got_features[0], gan, atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(got_state[0], torch.cat([colour, flow]), atol=2e-5, rtol=1e-4)


def test_the_flow_prior_is_added_to_the_learned_flow_of_the_warp_alone() -> None:
    block = scenes.made(LETTER, trained=True).blocks[1]
    torch.manual_seed(1)
    features, state = torch.randn(1, 48, 4, 4), torch.randn(1, 5, 4, 4) * 0.2
    source, guide, w, prior = (
        torch.randn(1, 16, 8, 8),
        torch.zeros(1, 16, 8, 8),
        torch.randn(1, 16),
        torch.randn(1, 2, 8, 8) * 0.2,
    )
    got, _ = block(features, state, w, source=source, guide=guide, prior=prior)
    torch.testing.assert_close(got[0, 16:32], warped(source[0], doubled(state[0, 3:]) + prior[0]), atol=2e-5, rtol=1e-4)


def test_without_priors_the_paper_variant_is_the_papers() -> None:
    with torch.device("meta"):
        generator = FarGenerator(replace(PAPER, flow_prior=False, picture_prior=False))
        features = generator.source(torch.zeros(2, 3, 512, 512))
        state = generator.frame(torch.zeros(2, 261), torch.zeros(2, 5, 512, 512), None, features)
    assert [f.shape[1:] for f in features] == [(w, r, r) for r, w in PAPER.blocks]
    assert state.shape == (2, 6, 512, 512)
    assert len(generator.source_encoder.down) == len(generator.guide_encoder.down) == 7
    assert len(generator.mapping.layers) == 3
    assert generator.guide_encoder.stem.weight.shape[1] == 3  # I_3D alone
    for block, (resolution, width) in zip(generator.blocks, PAPER.blocks, strict=True):
        assert isinstance(block, FarBlock)
        assert block.outputs == 3 * width  # eq. 10: F_inter, F_s, F_3D
        assert block.heads.to_rgb.weight.shape == (3, 3 * width, 1, 1)
        assert block.heads.to_xy.weight.shape == (2, 3 * width, 1, 1)
        assert block.heads.to_mask is None
        assert len(block.convs) == (1 if resolution == 4 else 2)
    assert not any(name == "picture_mix" for name, _ in generator.named_parameters())


def test_without_priors_nothing_of_the_priors_reaches_the_picture() -> None:
    generator = scenes.made(LETTER, trained=True)
    photo, layers, drive = scenes.moving(LETTER.size).tensors()
    with_priors = generator(photo, layers, drive)
    nothing = replace(drive, prior=drive.prior * 0, render_weight=drive.render_weight * 0, coverage=drive.coverage * 0)
    without = generator(photo, replace(layers, foreground=layers.plate), nothing)
    assert with_priors.picture is None
    assert torch.equal(with_priors.image, without.image)
    assert torch.equal(with_priors.flow, without.flow)


@pytest.mark.parametrize(
    "variant", [TINY_LIVE, TINY_PAPER, LETTER, replace(TINY_LIVE, picture_prior=False)], ids=lambda v: v.name
)
def test_a_batch_equals_its_samples_one_by_one(variant: Variant) -> None:
    generator = scenes.made(variant, trained=True)
    scene = scenes.moving(variant.size).tensors()
    other = scenes.still(variant.size).tensors()
    photo = torch.cat([scene[0], other[0]])
    layers = Layers(*(torch.cat(pair) for pair in zip(vars(scene[1]).values(), vars(other[1]).values(), strict=True)))
    drive = RenderInputsTorch(*(torch.cat(pair) for pair in zip(vars(scene[2]).values(), vars(other[2]).values(), strict=True)))
    together = generator(photo, layers, drive)
    for number, single in enumerate((scene, other)):
        alone = generator(*single)
        torch.testing.assert_close(together.image[number : number + 1], alone.image, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(together.flow[number : number + 1], alone.flow, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "variant", [TINY_LIVE, TINY_PAPER, LETTER, replace(TINY_LIVE, picture_prior=False)], ids=lambda v: v.name
)
def test_gradients_reach_every_parameter_after_one_step(variant: Variant) -> None:
    """At the start the heads are zero and hold back what lies behind them; one step opens all of it."""
    generator = scenes.made(variant).requires_grad_(True).train()
    photo, layers, drive = scenes.moving(variant.size).tensors()
    target = scenes.tensor(scenes.photograph(variant.size, 5))
    optimiser = torch.optim.Adam(generator.parameters(), lr=0.001, betas=(0.0, 0.99))
    for _ in range(2):
        optimiser.zero_grad()
        # Without the picture prior the last tXY moves nothing that is seen: only a loss on f̂ itself can teach it.
        output = generator(photo, layers, drive)
        ((output.image - target).square().mean() + output.flow.square().mean()).backward()
        optimiser.step()
    silent = [name for name, values in generator.named_parameters() if values.grad is None or not values.grad.abs().sum() > 0]
    assert silent == []
    assert all(torch.isfinite(values.grad).all() for values in generator.parameters() if values.grad is not None)


def test_the_untrained_mask_lets_gradients_through() -> None:
    generator = scenes.made(TINY_LIVE).requires_grad_(True)
    photo, layers, drive = scenes.moving(TINY_LIVE.size).tensors()
    generator(photo, layers, drive).image.square().mean().backward()
    for block in generator.blocks:
        assert isinstance(block, FarBlock)
        assert block.heads.to_mask is not None
        assert block.heads.to_mask.weight.grad is not None
        assert float(block.heads.to_mask.weight.grad.abs().sum()) > 0


def test_a_mask_that_was_pushed_shut_or_open_comes_back() -> None:
    mask = torch.tensor([-0.5, -0.5, 0.3, 1.5, 1.5], requires_grad=True)
    inside = clamp_ste(mask)
    assert torch.equal(inside, mask.clamp(0, 1))
    inside.backward(torch.tensor([-1.0, 1.0, 1.0, 1.0, -1.0]))
    assert mask.grad is not None
    assert mask.grad.tolist() == [-1, 0, 1, 1, 0]


def test_a_mask_that_was_shut_everywhere_opens_where_the_prior_picture_is_wrong() -> None:
    generator = scenes.made(TINY_LIVE).requires_grad_(True).train()
    photo, layers, drive = scenes.moving(TINY_LIVE.size).tensors()
    masks = [block.heads.to_mask for block in generator.blocks]  # type: ignore[union-attr]
    for mask in masks:
        torch.nn.init.constant_(mask.bias, -0.01)  # type: ignore[union-attr, arg-type]
    optimiser = torch.optim.Adam([p for mask in masks for p in mask.parameters()], lr=0.01, betas=(0.0, 0.99))  # type: ignore[union-attr]
    errors = []
    for _ in range(20):
        optimiser.zero_grad()
        error = generator(photo, layers, drive).image.abs().mean()  # grey everywhere is what a mask alone can give
        error.backward()
        optimiser.step()
        errors.append(error.item())
    assert errors[-1] < 0.8 * errors[0]


def test_training_lowers_the_error() -> None:
    generator = scenes.made(TINY_LIVE).requires_grad_(True).train()
    photo, layers, drive = scenes.moving(TINY_LIVE.size).tensors()
    target = scenes.tensor(scenes.photograph(TINY_LIVE.size, 5))
    optimiser = torch.optim.Adam(generator.parameters(), lr=0.01, betas=(0.0, 0.99))
    losses = []
    for _ in range(30):
        optimiser.zero_grad()
        loss = (generator(photo, layers, drive).image - target).abs().mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=lambda v: v.name)
def test_a_variant_survives_json(variant: Variant) -> None:
    assert Variant.from_json(variant.to_json()) == variant


def test_style_convs_of_a_refining_block_do_not_grow() -> None:
    block = scenes.made(TINY_LIVE).blocks[-1]
    assert isinstance(block, FarBlock)
    assert block.growth == 1
    assert [type(conv) for conv in block.convs] == [StyleConv]
