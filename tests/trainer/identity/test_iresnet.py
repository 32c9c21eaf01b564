"""Weights in the layouts of insightface and of CurricularFace are read, of any depth, and give what those networks give."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from engine.errors import InputError
from trainer.identity import identity_loss, open_identity
from trainer.identity.iresnet import IResNet

STAGES = (4, 8, 12, 16)  # the published ones have 64, 128, 256, 512
FEATURES = 12
State = dict[str, Tensor]


def normalisation(name: str, width: int, *, affine: bool = True) -> Iterator[tuple[str, Tensor]]:
    if affine:
        yield f"{name}.weight", torch.rand(width) + 0.5
        yield f"{name}.bias", torch.randn(width) * 0.1
    yield f"{name}.running_mean", torch.randn(width) * 0.1
    yield f"{name}.running_var", torch.rand(width) + 0.5
    yield f"{name}.num_batches_tracked", torch.tensor(7)


def convolution(name: str, inputs: int, outputs: int, size: int = 3) -> Iterator[tuple[str, Tensor]]:
    yield f"{name}.weight", torch.randn(outputs, inputs, size, size) / (inputs * size * size) ** 0.5


def insightface(depths: tuple[int, ...]) -> State:
    """As ``iresnet18`` and its sisters name their weights."""
    torch.manual_seed(0)
    state = dict(convolution("conv1", 3, STAGES[0])) | dict(normalisation("bn1", STAGES[0]))
    state["prelu.weight"], inputs = torch.rand(STAGES[0]), STAGES[0]
    for stage, (depth, width) in enumerate(zip(depths, STAGES, strict=True), 1):
        for block in range(depth):
            name = f"layer{stage}.{block}"
            state |= dict(normalisation(f"{name}.bn1", inputs)) | dict(convolution(f"{name}.conv1", inputs, width))
            state |= dict(normalisation(f"{name}.bn2", width)) | dict(convolution(f"{name}.conv2", width, width))
            state |= dict(normalisation(f"{name}.bn3", width)) | {f"{name}.prelu.weight": torch.rand(width)}
            if block == 0:
                state |= dict(convolution(f"{name}.downsample.0", inputs, width, 1))
                state |= dict(normalisation(f"{name}.downsample.1", width))
            inputs = width
    state |= dict(normalisation("bn2", inputs)) | dict(normalisation("features", FEATURES))
    return state | {"fc.weight": torch.randn(FEATURES, inputs * 49) * 0.05, "fc.bias": torch.randn(FEATURES)}


def curricular(depths: tuple[int, ...], *, middle: bool) -> State:
    """As CurricularFace's ``IR_101`` names them; with a normalisation in the middle as TFace's ``IR_18`` and its sisters."""
    torch.manual_seed(0)
    state = dict(convolution("input_layer.0", 3, STAGES[0])) | dict(normalisation("input_layer.1", STAGES[0]))
    state["input_layer.2.weight"], inputs, number = torch.rand(STAGES[0]), STAGES[0], 0
    order = ["bn", "conv1", *(["bn"] if middle else []), "prelu", "conv2", "bn"]
    for depth, width in zip(depths, STAGES, strict=True):
        for _ in range(depth):
            name = f"body.{number}"
            for place, kind in enumerate(order):
                here = f"{name}.res_layer.{place}"
                if kind == "bn":
                    state |= dict(normalisation(here, inputs if place == 0 else width))
                elif kind == "prelu":
                    state |= {f"{here}.weight": torch.rand(width)}
                else:
                    state |= dict(convolution(here, inputs if kind == "conv1" else width, width))
            if inputs != width:
                state |= dict(convolution(f"{name}.shortcut_layer.0", inputs, width, 1))
                state |= dict(normalisation(f"{name}.shortcut_layer.1", width))
            inputs, number = width, number + 1
    state |= dict(normalisation("output_layer.0", inputs)) | dict(normalisation("output_layer.4", FEATURES, affine=False))
    return state | {
        "output_layer.3.weight": torch.randn(FEATURES, inputs * 49) * 0.05,
        "output_layer.3.bias": torch.zeros(FEATURES),
    }


def normalised(x: Tensor, state: State, name: str) -> Tensor:
    mean, variance = state[f"{name}.running_mean"], state[f"{name}.running_var"]
    return functional.batch_norm(x, mean, variance, state.get(f"{name}.weight"), state.get(f"{name}.bias"))


def test_insightfaces_layout_computes_as_written_out() -> None:
    state = insightface((1, 2, 1, 1))
    chips = torch.randn(2, 3, 112, 112, generator=torch.Generator().manual_seed(1))
    x = functional.prelu(
        normalised(functional.conv2d(chips, state["conv1.weight"], padding=1), state, "bn1"), state["prelu.weight"]
    )
    for name, stride in (("layer1.0", 2), ("layer2.0", 2), ("layer2.1", 1), ("layer3.0", 2), ("layer4.0", 2)):
        y = functional.conv2d(normalised(x, state, f"{name}.bn1"), state[f"{name}.conv1.weight"], padding=1)
        y = functional.prelu(normalised(y, state, f"{name}.bn2"), state[f"{name}.prelu.weight"])
        y = normalised(functional.conv2d(y, state[f"{name}.conv2.weight"], stride=stride, padding=1), state, f"{name}.bn3")
        if stride == 2:
            x = normalised(functional.conv2d(x, state[f"{name}.downsample.0.weight"], stride=2), state, f"{name}.downsample.1")
        x = x + y
    wanted = functional.linear(normalised(x, state, "bn2").flatten(1), state["fc.weight"], state["fc.bias"])
    found = IResNet(state, Path("a.pth")).eval()(chips)
    torch.testing.assert_close(found, normalised(wanted, state, "features"), rtol=1e-4, atol=1e-4)


def test_curricularfaces_first_stage_has_a_short_cut_without_weights() -> None:
    state = curricular((2, 1, 1, 1), middle=False)
    network = IResNet(state, Path("a.pth")).eval()
    chips = torch.randn(1, 3, 112, 112, generator=torch.Generator().manual_seed(1))
    x = functional.conv2d(chips, state["input_layer.0.weight"], padding=1)
    x = functional.prelu(normalised(x, state, "input_layer.1"), state["input_layer.2.weight"])
    name = "body.0.res_layer"
    y = functional.conv2d(normalised(x, state, f"{name}.0"), state[f"{name}.1.weight"], padding=1)
    y = functional.conv2d(functional.prelu(y, state[f"{name}.2.weight"]), state[f"{name}.3.weight"], stride=2, padding=1)
    wanted = x[:, :, ::2, ::2] + normalised(y, state, f"{name}.4")
    torch.testing.assert_close(network.blocks[0](network.stem(chips)), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("depths", [(2, 2, 2, 2), (3, 4, 6, 3), (3, 4, 14, 3), (3, 13, 30, 3)])
@pytest.mark.parametrize("layout", ["insightface", "curricular", "tface"])
def test_every_depth_is_deduced_from_the_names(depths: tuple[int, ...], layout: str) -> None:
    state = insightface(depths) if layout == "insightface" else curricular(depths, middle=layout == "tface")
    network = IResNet(state, Path("a.pth"))
    assert len(network.blocks) == sum(depths)
    counted = sum(value.numel() for name, value in state.items() if not name.endswith("num_batches_tracked"))
    ours = network.state_dict().items()
    assert sum(v.numel() for n, v in ours if not n.endswith("num_batches_tracked")) == counted


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_files_are_opened_behind_the_door(tmp_path: Path, suffix: str, prefix: str) -> None:
    state = {prefix + name: value for name, value in insightface((1, 1, 1, 1)).items()}
    path = tmp_path / f"arcface{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save({"state_dict": state, "epoch": 3}, path)
    network = open_identity(path)
    pictures = torch.rand(2, 3, 64, 64).requires_grad_()
    points = torch.tensor([[-0.3, -0.2], [-0.1, -0.2], [0.1, -0.2], [0.3, -0.2], [0, 0.1]]).expand(2, 5, 2)
    found = network(pictures, points)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))
    identity_loss(found, torch.eye(FEATURES)[:2]).sum().backward()
    assert pictures.grad is not None
    assert float(pictures.grad.abs().sum()) > 0
    assert not any(p.requires_grad for p in network.parameters())
    assert not network.train().training


def test_weights_of_another_kind_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    for content, message in (
        ({"features.0.weight": torch.zeros(3)}, "no identity network that is known"),
        ([1, 2], "named weights and nothing else"),
        ({"state_dict": {"epoch": 3}}, "named weights and nothing else"),
        (
            {**insightface((1, 1, 1, 1)), "layer1.0.se.weight": torch.zeros(1)},
            "unknown or of another shape are blocks.0.se.weight",
        ),
        ({**curricular((1, 1, 1, 1), middle=False), "body.0.res_layer.5.fc1.weight": torch.zeros(1)}, "SE variants are not read"),
        ({k: v for k, v in insightface((1, 1, 1, 1)).items() if not k.startswith("fc")}, "4 blocks and no last layer"),
        ({**insightface((1, 1, 1, 1)), "fc.weight": torch.zeros(FEATURES, 9)}, "fc.weight"),
    ):
        torch.save(content, path)
        with pytest.raises(InputError, match=message):
            open_identity(path)


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save({"a": Path("x")}, path)
    with pytest.raises(InputError, match="cannot be read"):
        open_identity(path)
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read"):
        open_identity(path)


def test_the_loss_is_one_minus_the_cosine() -> None:
    a = torch.tensor([[1.0, 0], [1, 0], [2, 0]])
    b = torch.tensor([[3.0, 0], [0, 1], [-1, 0]])
    torch.testing.assert_close(identity_loss(a, b), torch.tensor([0.0, 1, 2]))
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(3, 5, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(2))
    assert torch.autograd.gradcheck(identity_loss, (x, y))
