"""The layers against loops written from StyleGAN2's definition."""

import math

import pytest
import torch
from torch.nn import functional

from engine.generator.layers import EqualConv, EqualLinear, Heads, StyleConv, modulated_conv


def one_modulated(x: torch.Tensor, weight: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
    """StyleGAN2, appendix B, for one sample (I, H, W): scale the weights, normalise each output's, convolve."""
    modulated = weight.detach() * style.detach()[None, :, None, None]
    normalised = [kernel / math.sqrt((kernel**2).sum().item() + 1e-8) for kernel in modulated]
    return torch.stack([functional.conv2d(x[None], kernel[None], padding=1)[0, 0] for kernel in normalised])


def test_modulated_convolution_equals_the_plain_loop_over_samples() -> None:
    torch.manual_seed(0)
    x, weight, style = torch.randn(3, 5, 8, 8), torch.randn(7, 5, 3, 3), torch.randn(3, 5)
    loop = torch.stack([one_modulated(x[n], weight, style[n]) for n in range(3)])
    torch.testing.assert_close(modulated_conv(x, weight, style), loop, atol=1e-5, rtol=1e-5)


def test_style_conv_is_modulation_bias_and_scaled_leaky_relu() -> None:
    torch.manual_seed(0)
    layer = StyleConv(5, 7, 4)
    torch.nn.init.normal_(layer.bias)
    x, w = torch.randn(2, 5, 8, 8), torch.randn(2, 4)
    style = w @ (layer.affine.weight / 2).t() + 1  # 1/√4
    loop = torch.stack([one_modulated(x[n], layer.weight, style[n]) for n in range(2)]) + layer.bias[:, None, None]
    wanted = torch.where(loop > 0, loop, 0.2 * loop) * math.sqrt(2)
    torch.testing.assert_close(layer(x, w), wanted, atol=1e-5, rtol=1e-4)


def test_equalised_layers_keep_the_variance() -> None:
    torch.manual_seed(0)
    assert EqualLinear(400, 400)(torch.randn(200, 400)).var().item() == pytest.approx(1, abs=0.1)
    assert EqualLinear(400, 400, rate=0.01)(torch.randn(200, 400)).var().item() == pytest.approx(1, abs=0.1)
    assert EqualConv(64, 64, 3)(torch.randn(2, 64, 32, 32))[..., 1:-1, 1:-1].var().item() == pytest.approx(1, abs=0.1)


def test_heads_write_colour_flow_and_mask_of_their_own_sub_pixels() -> None:
    heads = Heads(4, sub_pixels=2, mask=True, colour_from_zero=True)
    assert heads.to_mask is not None
    torch.nn.init.constant_(heads.to_xy.bias, 1.0)
    heads.to_mask.bias.data[1] = 0.5  # the upper right of each four
    out = heads(torch.randn(1, 4, 3, 3))
    assert out.shape == (1, 6, 6, 6)
    assert (out[:, :3] == 0).all()
    torch.testing.assert_close(out[:, 3:5], torch.full((1, 2, 6, 6), 0.1))
    assert (out[0, 5, 0::2, 1::2] == 0.5).all()
    assert (out[0, 5].sum()) == 0.5 * 9
