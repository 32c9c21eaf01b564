"""The backbones compute what their published weights mean, and the head starts at the examples' mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.errors import ConfigError, InputError
from tests.trainer.regressor.conftest import SIZE
from trainer.regressor.backbone import fold
from trainer.regressor.examples import ExampleSet
from trainer.regressor.lite0 import STAGES, STEM, Lite0
from trainer.regressor.network import RegressorNet
from trainer.regressor.resnet50 import DEPTHS, WIDTHS, ResNet50


def _norm(state: dict[str, Tensor], name: str, width: int) -> None:
    state[f"{name}.weight"], state[f"{name}.bias"] = torch.rand(width) + 0.5, torch.randn(width) * 0.1
    state[f"{name}.running_mean"], state[f"{name}.running_var"] = torch.randn(width) * 0.1, torch.rand(width) + 0.5


def _conv(state: dict[str, Tensor], name: str, outputs: int, inputs: int, kernel: int) -> None:
    state[f"{name}.weight"] = torch.randn(outputs, inputs, kernel, kernel) * (inputs * kernel**2) ** -0.5


def lite0_weights() -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    _conv(state, "_conv_stem", STEM, 3, 3)
    _norm(state, "_bn0", STEM)
    inputs, number = STEM, 0
    for stage in STAGES:
        for _ in range(stage.blocks):
            name, wide = f"_blocks.{number}.", inputs * stage.expansion
            if stage.expansion > 1:
                _conv(state, f"{name}_expand_conv", wide, inputs, 1)
                _norm(state, f"{name}_bn0", wide)
            _conv(state, f"{name}_depthwise_conv", wide, 1, stage.kernel)
            _norm(state, f"{name}_bn1", wide)
            _conv(state, f"{name}_project_conv", stage.width, wide, 1)
            _norm(state, f"{name}_bn2", stage.width)
            inputs, number = stage.width, number + 1
    return state


def same_conv(x: Tensor, weight: Tensor, stride: int, groups: int) -> Tensor:
    """TensorFlow's "same", written as its documentation says it."""
    kernel = weight.shape[-1]
    total = max((-(-x.shape[-1] // stride) - 1) * stride + kernel - x.shape[-1], 0)
    x = functional.pad(x, (total // 2, total - total // 2) * 2)
    return functional.conv2d(x, weight, stride=stride, groups=groups)


def lite0_reference(state: dict[str, Tensor], x: Tensor) -> Tensor:
    def norm(x: Tensor, name: str) -> Tensor:
        parts = (state[f"{name}.{n}"] for n in ("running_mean", "running_var", "weight", "bias"))
        return functional.batch_norm(x, *parts, eps=1e-3)

    x = functional.relu6(norm(same_conv(x, state["_conv_stem.weight"], 2, 1), "_bn0"))
    number = 0
    for stage in STAGES:
        for i in range(stage.blocks):
            name, y = f"_blocks.{number}.", x
            if stage.expansion > 1:
                y = functional.relu6(norm(same_conv(y, state[f"{name}_expand_conv.weight"], 1, 1), f"{name}_bn0"))
            stride = stage.stride if i == 0 else 1
            y = same_conv(y, state[f"{name}_depthwise_conv.weight"], stride, y.shape[1])
            y = functional.relu6(norm(y, f"{name}_bn1"))
            y = norm(same_conv(y, state[f"{name}_project_conv.weight"], 1, 1), f"{name}_bn2")
            x = x + y if stride == 1 and x.shape == y.shape else y
            number += 1
    return x


def test_lite0_computes_what_its_weights_mean(tmp_path: Path) -> None:
    torch.manual_seed(1)
    state, path = lite0_weights(), tmp_path / "lite0.pth"
    torch.save(state, path)
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(Lite0(path)(x)[-1], lite0_reference(state, x), atol=2e-4, rtol=2e-4)


def resnet50_weights() -> dict[str, Tensor]:
    state: dict[str, Tensor] = {"fc.weight": torch.zeros(1000, 2048)}
    _conv(state, "conv1", 64, 3, 7)
    _norm(state, "bn1", 64)
    inputs = 64
    for s, (depth, width) in enumerate(zip(DEPTHS, WIDTHS, strict=True), 1):
        for b in range(depth):
            name = f"layer{s}.{b}."
            for i, (o, n, k) in enumerate(((width, inputs, 1), (width, width, 3), (4 * width, width, 1)), 1):
                _conv(state, f"{name}conv{i}", o, n, k)
                _norm(state, f"{name}bn{i}", o)
            if b == 0:
                _conv(state, f"{name}downsample.0", 4 * width, inputs, 1)
                _norm(state, f"{name}downsample.1", 4 * width)
            inputs = 4 * width
    return state


def test_resnet50_loads_torchvisions_layout(tmp_path: Path) -> None:
    torch.manual_seed(2)
    state, path = resnet50_weights(), tmp_path / "resnet50.pth"
    torch.save(state, path)
    net = ResNet50(path)
    assert sum(p.numel() for p in net.parameters()) == 23_508_032 - 2 * 26_560 + 26_560  # torchvision's, gains and biases folded
    x = torch.randn(1, 3, 56, 56)
    norm = nn.BatchNorm2d(64, eps=1e-5).eval()
    norm.load_state_dict({n: state[f"bn1.{n}"] for n in ("weight", "bias", "running_mean", "running_var")}, strict=False)
    with torch.no_grad():
        torch.testing.assert_close(
            net.conv1(x), norm(functional.conv2d(x, state["conv1.weight"], stride=2, padding=3)), atol=1e-4, rtol=1e-4
        )
        assert net(x)[0].shape == (1, 2048, 2, 2)


def test_folding_equals_normalising_afterwards() -> None:
    torch.manual_seed(3)
    state: dict[str, Tensor] = {}
    _conv(state, "c", 4, 3, 3)
    _norm(state, "n", 4)
    weight, bias = fold(state["c.weight"], state, "n", 1e-3)
    x = torch.randn(1, 3, 8, 8)
    after = functional.batch_norm(
        functional.conv2d(x, state["c.weight"]),
        state["n.running_mean"],
        state["n.running_var"],
        state["n.weight"],
        state["n.bias"],
        eps=1e-3,
    )
    torch.testing.assert_close(functional.conv2d(x, weight, bias), after)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"a": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="belong to another network"):
        Lite0(path)
    path.write_bytes(b"not a torch file")
    with pytest.raises(InputError, match="cannot be read"):
        Lite0(path)


def test_the_untrained_answer_is_the_examples_mean(network: RegressorNet, examples: ExampleSet) -> None:
    z = network(torch.zeros(1, 3, SIZE, SIZE))
    np.testing.assert_allclose(z[0].detach().numpy(), examples.z.mean(0), atol=1e-5)


@pytest.mark.parametrize("size", [0, 33])
def test_impossible_sizes_are_refused(size: int) -> None:
    with pytest.raises(ConfigError, match="multiple of 32"):
        RegressorNet("lite0", size)


def test_an_unknown_backbone_is_refused() -> None:
    with pytest.raises(ConfigError, match="lite0, resnet50"):
        RegressorNet("vgg", 32)  # type: ignore[arg-type]
